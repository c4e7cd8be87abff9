// Returns what is wrong with the page for those who can't see it, can't see colours, or have no mouse: after WCAG 2.2, level AA.
(() => {
	const problems = [];
	const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.getAttribute("class") ? "." + e.getAttribute("class").trim().split(/\s+/).join(".") : "");
	const complain = (e, text) => problems.push(name(e) + ": " + text + ": " + e.outerHTML.slice(0, 100));
	const all = (selector) => [...document.querySelectorAll(selector)];
	const isShown = (e) => e.checkVisibility({visibilityProperty: true}) && !e.closest("[aria-hidden=true]");
	const label = (e) => {
		const ids = e.getAttribute("aria-labelledby");
		return (e.getAttribute("aria-label") ?? (ids ? ids.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? "").join(" ") : "")).trim();
	};

	// The document: language, title, viewport, landmarks, headings.
	if (!document.documentElement.lang) problems.push("no language");
	if (!document.title.trim()) problems.push("no title");
	if (/user-scalable=no|maximum-scale/.test(document.querySelector("meta[name=viewport]")?.content ?? "")) problems.push("can't be enlarged");
	for (const landmark of ["main", "body > header", "body > footer", "nav"]) {
		const found = all(landmark);
		if (landmark === "nav" ? !found.length : found.length !== 1) problems.push(found.length + " of " + landmark);
	}
	const navs = all("nav").map(label);
	if (navs.some((text) => !text) || new Set(navs).size !== navs.length) problems.push("navigations can't be told apart: " + navs);
	const target = document.querySelector("a.skip")?.getAttribute("href");
	if (!target || !document.querySelector(target)) problems.push("no link skips to the content");
	let level = 0;
	for (const heading of all("h1, h2, h3, h4, h5, h6").filter(isShown)) {
		const next = Number(heading.tagName[1]);
		if (next > level + 1) complain(heading, "skips a level");
		level = next;
	}
	if (all("h1").length !== 1) problems.push(all("h1").length + " h1");

	// Names: ids, references, links, buttons, fields, pictures.
	const ids = all("[id]").map((e) => e.id);
	for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) problems.push("id twice: " + id);
	for (const e of all("[aria-labelledby], [aria-describedby]")) {
		for (const attribute of ["aria-labelledby", "aria-describedby"]) {
			for (const id of (e.getAttribute(attribute) ?? "").split(/\s+/).filter(Boolean)) if (!document.getElementById(id)) complain(e, "refers to nothing");
		}
	}
	for (const e of all("a[href], button, summary").filter(isShown)) if (!label(e) && !e.textContent.trim()) complain(e, "has no name");
	for (const e of all("input:not([type=hidden]), select, textarea")) if (!e.labels?.length && !label(e)) complain(e, "has no label");
	for (const e of all("img")) if (!e.hasAttribute("alt")) complain(e, "has no alternative");
	for (const e of all("svg")) {
		if (e.parentElement.closest("svg") || e.closest("[aria-hidden=true]")) continue;
		if (e.getAttribute("role") !== "img" || !label(e)) complain(e, "is neither hidden nor a named picture");
	}
	for (const e of all("[role=region], section")) if (!label(e)) complain(e, "is a region without a name");
	for (const e of all("[aria-hidden=true]")) if (e.querySelector("a, button, input, [tabindex]:not([tabindex='-1'])")) complain(e, "is hidden, and can be focused");

	// Tables: heads that say what they head.
	for (const table of all("table").filter(isShown)) {
		if (!table.querySelector("th[scope=col]")) complain(table, "has no heads");
		for (const head of table.querySelectorAll("th")) {
			if (!["col", "row"].includes(head.scope)) complain(head, "has no scope");
			if (!head.textContent.trim()) complain(head, "is empty");
		}
	}
	for (const e of all("*")) {
		if ((e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX)) && e.clientWidth && !e.closest("svg")
			&& e.tabIndex < 0 && !e.querySelector("a, button, input")) complain(e, "scrolls, and not by keyboard");
	}

	// Contrast: 4.5 to 1 for text, 3 to 1 for large text.
	const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
	const parse = (color) => {
		const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
		return [r, g, b, a];
	};
	const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3]));
	const background = (e) => {
		const layers = [];
		for (; e; e = e.parentElement) layers.unshift(parse(getComputedStyle(e).backgroundColor));
		return layers.reduce((back, front) => over(front, back), [255, 255, 255]);
	};
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let texts = 0;
	const told = new Set();
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest(".hidden, script, title, svg title")) continue;
		texts++;
		const style = getComputedStyle(e);
		const back = background(e.closest("svg") ?? e);
		const front = over(parse(e.closest("svg") ? style.fill : style.color), back);
		const [light, dark] = [luminance(front), luminance(back)].sort((a, b) => b - a);
		const ratio = (light + 0.05) / (dark + 0.05);
		const size = parseFloat(style.fontSize);
		const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
		const place = name(e) + style.color + back;
		if (ratio < (large ? 3 : 4.5) && !told.has(place)) {
			told.add(place);
			complain(e, "contrast " + ratio.toFixed(2) + " of " + front.map(Math.round) + " on " + back.map(Math.round));
		}
	}
	if (texts < 10) problems.push("only " + texts + " texts were looked at");

	// Targets that a finger can hit: 24 by 24, or in a line of text.
	for (const e of all("button, select, input:not([type=hidden]), .tabs a, .button").filter(isShown)) {
		const box = e.getBoundingClientRect();
		if (box.width < 24 || box.height < 24) complain(e, "is only " + box.width + " by " + box.height);
	}
	return problems;
})()
