package dashboards

// server answers: is it the server or one account, does it throttle us, and has it changed.
func server() Dashboard {
	return Dashboard{
		UID: serverUID, Title: "IMAP / Server", from: "now-6h", selector: ofServers,
		Help: "One mail server: its phases over all accounts, whether it throttles or fails, and whether it has changed.",
		variables: append(exporters(),
			variable{
				name: "server", label: "Server", help: "The mail server to show.",
				query: `label_values(imap_probe_interval_seconds{job=~"$job", instance=~"$instance"}, server)`,
			},
			quantileVariable(),
		),
		rows: []row{
			{height: 4, panels: serverHeadline()},
			{title: "Accounts", height: 8, panels: []panel{accountTable("Accounts of this server",
				"One line for each account and exporter, the worst first. Many with the same phase and reason: the server. One alone: the account.")}},
			{height: 9, panels: []panel{availabilityTimeline().wide(14), failuresByReason().wide(10)}},
			{title: "Latency over all accounts", height: 9, panels: []panel{phaseQuantile().wide(16), phaseTable()}},
			{height: 9, panels: []panel{loginHeatmap(), probeHeatmap()}},
			{title: "Throttling and connections", height: 7, panels: []panel{throttling(), connects()}},
			{title: "TLS and capabilities", height: 8, panels: []panel{tlsVersions(), serverCertificate(), capabilityChanges("").wide(8)}},
			{height: 10, panels: []panel{capabilities(), drift()}},
		},
	}
}

func serverHeadline() []panel {
	return []panel{
		stat("Accounts", "Accounts that the exporters probe on this server.",
			now(`count(count by (account) (imap_probe_interval_seconds{@}))`, ""),
		).plain().unit(count).coloured(nothing...).none("no such server"),
		stat("Failing", "Accounts of this server whose last probe failed. All of them: the server. One: that account.",
			now(accounts(failing), ""),
		).unit(count).decimals(0).coloured(anyIsBad...).none("no such server"),
		stat("Held back", "Accounts of this server whose password was rejected, and that the exporter tries again later. All at once: the server's user database.",
			now(accounts(heldBack), ""),
		).unit(count).decimals(0).coloured(anyIsHeld...).none("no such server"),
		stat("Succeeded", "Share of the time range in which probes succeeded, the mean of all accounts.",
			now(`avg(avg_over_time(imap_probe_success{@}[$__range]))`, ""),
		).unit(share).decimals(2).coloured(availability...).none("not probed"),
		stat("Login, p95", "95 of 100 successful logins in the time range took no longer.",
			now(quantile("0.95", authHistogram, "", whole), ""),
		).plain().unit(seconds).decimals(0).coloured(loginTime...).none("no login"),
		stat("Probe, p95", "95 of 100 successful probes in the time range took no longer, from DNS to LOGOUT.",
			now(quantile("0.95", probeHistogram, "", whole), ""),
		).plain().unit(seconds).decimals(0).coloured(probeTime...).none("no success"),
		stat("Turned away", "Probes in the time range that the server throttled, or that it had no service for. Fewer logins help: a longer interval, or max_concurrent_per_server.",
			now(`sum(increase(imap_probe_failure_reasons_total{@, reason=~"throttled|unavailable|bye"}[$__range]))`, ""),
		).unit(count).decimals(0).coloured(anyIsWarning...).none("no such server"),
		stat("Certificate", "Days until the first certificate of the chain ends that any account was shown.",
			now("min ("+certificateDays+")", ""),
		).unit(days).decimals(0).coloured(certificate...).none("no TLS"),
	}
}

func throttling() panel {
	return timeseries("Turned away by reason",
		"Logins that the server turned away, by reason: throttled is a limit of its own, unavailable and bye that it had no service. With them, the accounts that are held back. Probe less often, lower max_concurrent_per_server, or raise the server's limit for the exporter's address.",
		query(`sum by (reason) (increase(imap_probe_failure_reasons_total{@, reason=~"throttled|unavailable|bye"}[$__rate_interval]))`, "{{reason}}"),
		query(`sum(imap_probe_suspended{@})`, "accounts held back"),
	).bars().below().counting().none("The server throttles nobody").
		field("accounts held back", property{"custom.drawStyle", "line"}, property{"custom.lineWidth", 2}, property{"custom.fillOpacity", 0},
			property{"custom.stacking", object{"mode": "none"}}, property{"color", object{"mode": "fixed", "fixedColor": "purple"}})
}

func connects() panel {
	return timeseries("Attempts to connect",
		"TCP connections by address family and result. IPv6 that fails while IPv4 works costs every client time, which phase connect_failed shows: mend it, or take the AAAA record away.",
		query(`sum by (family, result) (increase(imap_connect_attempts_total{@}[$__rate_interval])) > 0`, "IPv{{family}} {{result}}"),
	).bars().below().counting().none("No attempt in this time").
		override(override{"byRegexp", "/ ok$/", []property{{"color", object{"mode": "shades", "fixedColor": "green"}}}},
			override{"byRegexp", "/ (refused|timeout|unreachable|reset)$/", []property{{"color", object{"mode": "shades", "fixedColor": "red"}}}})
}

func tlsVersions() panel {
	return timeseries("TLS versions",
		"Accounts by what their last probe agreed on with the server: version and cipher suite. It is not the oldest that the server would accept. A downgrade after a change deserves a look at the server's configuration.",
		query(`count by (version, cipher) (imap_tls_info{@})`, "{{version}} {{cipher}}"),
	).stacked().below().counting().wide(8).none("No TLS")
}

func serverCertificate() panel {
	return timeseries("Days until the certificate ends",
		"Days until the chain's first certificate ends, the least and the most that any account was shown. Two lines apart: a server behind the load balancer that was forgotten at the renewal.",
		query("min ("+certificateDays+")", "least"),
		query("max ("+certificateDays+")", "most"),
	).below().unit(days).decimals(0).from0().wide(8).none("No TLS").
		coloured(step{bad, 0}, step{warning, 3}, step{"transparent", 21}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "area"})
}

func capabilities() panel {
	return table("Capabilities offered",
		"What the server announced in the last hour, and at which stage: before TLS (with STARTTLS), before the login, after it. AUTH= before TLS lets passwords be sent in clear.",
		column(`max by (capability, stage) (last_over_time(imap_capability_info{@}[1h]))`),
	).wide(12).
		transform("groupingToMatrix", object{"columnField": "stage", "rowField": "capability", "valueField": "Value"}).
		transform("organize", object{
			"excludeByName": object{}, "indexByName": object{`capability\stage`: 0, "before_tls": 1, "before_auth": 2, "after_auth": 3},
			"renameByName": object{`capability\stage`: "Capability", "before_tls": "Before TLS", "before_auth": "Before login", "after_auth": "After login"},
		}).
		unit(count).none(" ").mapped(word{"1", "✓", good}).look("align", "center").
		field("Capability", property{"unit", text}, property{"custom.align", "left"})
}

// offered is what the server announces, at one time or another: the parenthesis is left open for the offset.
const offered = `max by (mode, stage, capability) (imap_capability_info{@}`

func drift() panel {
	return table("Capability drift since yesterday",
		"What the server offered a day ago and doesn't now, and the other way round. Lost STARTTLS or AUTH: somebody changed the server, or sits in between. A stage that no probe has got to just now is left out. Empty is good.",
		column(`label_replace(`+offered+` offset 1d) unless `+offered+`)
and on (mode, stage) `+offered+`), "change", "lost", "", "")
or label_replace(`+offered+`) unless `+offered+` offset 1d)
and on (mode, stage) `+offered+` offset 1d), "change", "new", "", "")`),
	).wide(12).
		transform("organize", object{
			"excludeByName": object{"Time": true, "Value": true},
			"indexByName":   object{"change": 0, "capability": 1, "stage": 2, "mode": 3},
			"renameByName":  object{"change": "Change", "capability": "Capability", "stage": "Stage", "mode": "Mode"},
		}).
		unit(text).none("No change since yesterday").mapped(word{"lost", "lost", bad}, word{"new", "new", good}).
		field("Change", property{"custom.cellOptions", object{"type": "color-text"}}, property{"custom.width", 90})
}
