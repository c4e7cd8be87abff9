// Keeps an open page up to date: the times on it every second, and what the exporter tells of changes.
// The page is whole without this script.
"use strict";

(() => {
	const body = document.body;
	// The exporter's clock, by which all times on the page are.
	const skew = Date.parse(body.dataset.now) - Date.now();

	function span(seconds) {
		const [value, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [seconds / 60, "min"]
			: seconds < 48 * 3600 ? [seconds / 3600, "h"] : [seconds / 86400, "d"];
		return Math.floor(value) + "\u00a0" + unit;
	}

	function tellTimes() {
		const now = Date.now() + skew;
		for (const time of document.querySelectorAll("time[data-relative]")) {
			const ahead = (Date.parse(time.dateTime) - now) / 1000;
			const past = span(Math.max(0, -ahead));
			const text = {
				ago: past + " ago",
				for: past,
				in: ahead >= 1 ? "in " + span(ahead) : "now",
			}[time.dataset.relative];
			if (time.textContent !== text) time.textContent = text;
		}
	}

	// An element that somebody has selected text in is left alone.
	function isSelected(element) {
		const selection = document.getSelection();
		return selection && !selection.isCollapsed && selection.containsNode(element, true);
	}

	// replace puts an element in the place of that with the same id, and leaves open and focused what was.
	function replace(fresh) {
		const stale = fresh.id && document.getElementById(fresh.id);
		if (!stale || isSelected(stale)) return;
		for (const details of stale.querySelectorAll("details[id]")) {
			const same = fresh.querySelector("#" + details.id);
			if (same) same.open = details.open;
		}
		const able = "a, button, summary, [tabindex]";
		const place = stale.contains(document.activeElement) ? [...stale.querySelectorAll(able)].indexOf(document.activeElement) : -1;
		const scrolled = [...stale.querySelectorAll(".scroll")].map((part) => [part.scrollLeft, part.scrollTop]);
		if (stale.matches("tr") && stale.className !== fresh.className) fresh.classList.add("changed");
		stale.replaceWith(fresh);
		fresh.querySelectorAll(".scroll").forEach((part, i) => scrolled[i] && part.scrollTo(...scrolled[i]));
		if (place >= 0) fresh.querySelectorAll(able)[place]?.focus({preventScroll: true});
		if (fresh.dataset.failing !== undefined) tellFailing(Number(fresh.dataset.failing));
	}

	function tellFailing(n) {
		document.title = (n ? "(" + n + ") " : "") + body.dataset.title;
		const icon = document.querySelector("link[rel=icon]");
		const href = body.dataset.root + (n ? "failing.svg" : "favicon.svg");
		if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
	}

	let source = null;

	function tellState(text) {
		const state = document.getElementById("live-state");
		if (state && state.textContent !== text) state.textContent = text;
	}

	function listen() {
		if (source || !body.dataset.live || document.hidden) return;
		source = new EventSource(body.dataset.live);
		source.onopen = () => tellState("kept up to date");
		source.onmessage = (message) => {
			const template = document.createElement("template");
			template.innerHTML = message.data;
			for (const fresh of [...template.content.children]) replace(fresh);
			tellTimes();
		};
		source.onerror = () => {
			tellState("not kept up to date");
			if (source.readyState === EventSource.CLOSED) { // It was refused, as when too many pages are open.
				hangUp();
				setTimeout(listen, 60000);
			}
		};
	}

	function hangUp() {
		source?.close();
		source = null;
	}

	// A page that nobody sees costs nothing.
	document.addEventListener("visibilitychange", () => document.hidden ? hangUp() : listen());
	addEventListener("pagehide", hangUp);
	addEventListener("pageshow", listen);

	for (const select of document.querySelectorAll(".filter select")) {
		select.addEventListener("change", () => select.form.requestSubmit());
	}
	for (const form of document.querySelectorAll("form[method=post]")) {
		form.addEventListener("submit", (event) => {
			const button = form.querySelector("button");
			if (button.getAttribute("aria-disabled")) return event.preventDefault();
			button.setAttribute("aria-disabled", "true");
			button.textContent = "Probing …";
		});
	}

	tellTimes();
	setInterval(tellTimes, 1000);
	listen();
})();
