package dashboards

// server shows whether a problem is the server's or one account's, whether it throttles us, and whether it has changed.
func server() Dashboard {
	return Dashboard{
		UID: serverUID, Title: "IMAP / Server", from: "now-6h", selector: ofServers,
		Help: "One mail server: its phases over all accounts, whether it throttles or fails, and whether it has changed.",
		variables: append(exporterVariables(),
			variable{
				name: "server", label: "Server", help: "The mail server to show.",
				query: `label_values(imap_probe_interval_seconds{job=~"$job", instance=~"$instance"}, server)`,
			},
			quantileVariable(),
		),
		rows: []row{
			{height: 4, panels: serverHeadline()},
			{title: "Accounts", height: 8, panels: []panel{accountTable("Accounts of this server",
				"One line for each account and exporter, the worst first. Many accounts with the same phase and reason: the server. A single one: the account.")}},
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
			instantQuery(`count(count by (account) (imap_probe_interval_seconds{@}))`, ""),
		).plain().unit(count).coloured(nothing...).none("no such server"),
		stat("Failing", "Accounts of this server whose last probe failed. All of them: the server. One: that account.",
			instantQuery(accounts(failing), ""),
		).unit(count).decimals(0).coloured(redIfAny...).none("no such server"),
		stat("Suspended", "Accounts of this server whose password was rejected, and that the exporter tries again later. All at once: the server's user database.",
			instantQuery(accounts(suspended), ""),
		).unit(count).decimals(0).coloured(purpleIfAny...).none("no such server"),
		stat("Succeeded", "Share of the time range in which probes succeeded, the mean of all accounts.",
			instantQuery(`avg(avg_over_time(imap_probe_success{@}[$__range]))`, ""),
		).unit(share).decimals(2).coloured(availability...).none("not probed"),
		stat("Login, p95", "95 of 100 successful logins in the time range took no longer.",
			instantQuery(quantile("0.95", authHistogram, "", timeRange), ""),
		).plain().unit(seconds).decimals(0).coloured(loginTime...).none("no login"),
		stat("Probe, p95", "95 of 100 successful probes in the time range took no longer, from DNS to LOGOUT.",
			instantQuery(quantile("0.95", probeHistogram, "", timeRange), ""),
		).plain().unit(seconds).decimals(0).coloured(probeTime...).none("no success"),
		stat("Turned away", "Probes in the time range that the server throttled, or that failed because it was unavailable. Fewer logins help: a longer interval, or a lower max_concurrent_per_server.",
			instantQuery(`sum(increase(imap_probe_failure_reasons_total{@, reason=~"throttled|unavailable|bye"}[$__range]))`, ""),
		).unit(count).decimals(0).coloured(orangeIfAny...).none("no such server"),
		stat("Certificate", "Days until the first certificate of the chain expires; the earliest that any account saw.",
			instantQuery("min ("+certificateDays+")", ""),
		).unit(days).decimals(0).coloured(certificate...).none("no TLS"),
	}
}

func throttling() panel {
	return timeseries("Turned away by reason",
		"Probes that the server turned away, by reason: throttled is a limit of the server, unavailable and bye mean that it was unavailable. Also the number of suspended accounts. Probe less often, lower max_concurrent_per_server, or raise the server's limit for the exporter's address.",
		query(`sum by (reason) (increase(imap_probe_failure_reasons_total{@, reason=~"throttled|unavailable|bye"}[$__rate_interval]))`, "{{reason}}"),
		query(`sum(imap_probe_suspended{@})`, "suspended accounts"),
	).bars().below().counting().none("The server throttles nobody").
		field("suspended accounts", property{"custom.drawStyle", "line"}, property{"custom.lineWidth", 2}, property{"custom.fillOpacity", 0},
			property{"custom.stacking", object{"mode": "none"}}, fieldColour("purple"))
}

func connects() panel {
	return timeseries("Attempts to connect",
		"TCP connections by address family and result. If IPv6 fails while IPv4 works, every client loses time, which the phase connect_failed shows: repair IPv6, or remove the AAAA record.",
		query(`sum by (family, result) (increase(imap_connect_attempts_total{@}[$__rate_interval])) > 0`, "IPv{{family}} {{result}}"),
	).bars().below().counting().none("No attempt in this time").
		override(override{"byRegexp", "/ ok$/", []property{{"color", object{"mode": "shades", "fixedColor": "green"}}}},
			override{"byRegexp", "/ (refused|timeout|unreachable|reset)$/", []property{{"color", object{"mode": "shades", "fixedColor": "red"}}}})
}

func tlsVersions() panel {
	return timeseries("TLS versions",
		"Accounts by the TLS version and cipher suite of their last probe. This is not the oldest version that the server would accept. If the version falls, check the server's configuration.",
		query(`count by (version, cipher) (imap_tls_info{@})`, "{{version}} {{cipher}}"),
	).stacked().below().counting().wide(8).none("No TLS")
}

func serverCertificate() panel {
	return timeseries("Days until the certificate expires",
		"Days until the first certificate of the chain expires: the smallest and the largest value that any account saw. If the two lines differ, the renewal missed a server behind the load balancer.",
		query("min ("+certificateDays+")", "smallest"),
		query("max ("+certificateDays+")", "largest"),
	).below().unit(days).decimals(0).from0().wide(8).none("No TLS").
		coloured(step{bad, 0}, step{warning, 3}, step{"transparent", 21}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "area"})
}

func capabilities() panel {
	return table("Capabilities offered",
		"What the server announced in the last hour, and at which stage: before TLS (with STARTTLS), before the login, after it. AUTH= before TLS lets clients send passwords in clear text.",
		column(`max by (capability, stage) (last_over_time(imap_capability_info{@}[1h]))`),
	).wide(12).
		transform("groupingToMatrix", object{"columnField": "stage", "rowField": "capability", "valueField": "Value"}).
		transform("organize", object{
			"excludeByName": object{}, "indexByName": object{`capability\stage`: 0, "before_tls": 1, "before_auth": 2, "after_auth": 3},
			"renameByName": object{`capability\stage`: "Capability", "before_tls": "Before TLS", "before_auth": "Before login", "after_auth": "After login"},
		}).
		unit(count).none(" ").mapped(word{"1", "✓", good}).look("align", "center").
		field("Capability", fieldUnit(text), property{"custom.align", "left"})
}

// offered selects what the server announces. The parenthesis is left open for an offset.
const offered = `max by (mode, stage, capability) (imap_capability_info{@}`

func drift() panel {
	return table("Capability drift since yesterday",
		"What the server offered a day ago and doesn't now, and vice versa. Lost STARTTLS or AUTH: somebody changed the server, or intercepts the connection. Stages that no probe has reached recently are left out. Empty is good.",
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
		field("Change", fieldCell("color-text"), fieldWidth(90))
}
