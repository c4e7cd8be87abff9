package dashboards

import "fmt"

// accountTable is the table of accounts, which shows what is broken, since when, where and why.
func accountTable(title, help string) panel {
	link := func(uid, variables string) property {
		return property{"links", []object{{
			"title": "Open ${__value.text}",
			"url": "/d/" + uid + "/" + uid + "?var-datasource=${datasource}&var-job=${__data.fields.job:percentencode}" +
				"&var-instance=${__data.fields.Exporter:percentencode}&var-server=${__data.fields.Server:percentencode}" + variables + "&${__url_time_range}",
		}}}
	}
	byKey := "by (" + key + ")"
	return table(title, help,
		column("max "+byKey+" ("+state+")"),
		column(present("max by ("+key+", phase, reason) ("+lastFailure+")")),
		column(present("1000 * max "+byKey+" ("+lastSuccess+")")),
		column(present("max "+byKey+" (avg_over_time(imap_probe_success{@}[1h]))")),
		column(present("max "+byKey+" ("+meanDuration+")")),
		column(present("max "+byKey+" ("+meanDuration+"\n  / ("+meanDurationYesterday+" > 0))")),
		column(present(certificateDays)),
		column(present(quotaPercent)),
		column("1000 * max "+byKey+" (imap_probe_next_login_timestamp_seconds{@})"),
	).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true, "Value #B": true},
			"indexByName": object{
				"Value #A": 0, "account": 1, "server": 2, "phase": 3, "reason": 4, "Value #C": 5, "Value #D": 6, "Value #E": 7, "Value #F": 8,
				"Value #G": 9, "Value #H": 10, "Value #I": 11, "instance": 12, "job": 13,
			},
			"renameByName": object{
				"account": "Account", "server": "Server", "phase": "Phase", "reason": "Reason", "instance": "Exporter",
				"Value #A": "State", "Value #C": "Last success", "Value #D": "OK, 1 h", "Value #E": "Duration", "Value #F": "vs. 1 d ago",
				"Value #G": "Certificate", "Value #H": "Quota", "Value #I": "Next login",
			},
		}).
		sorted("State", "vs. 1 d ago").unit(text).none("–").
		field("State", fieldWidth(105), fieldFilter(), fieldUnit(count), fieldWords(stateWords...), fieldCell("color-background"), property{"custom.align", "center"}).
		field("Account", fieldFilter(), link(accountUID, "&var-account=${__data.fields.Account:percentencode}"), fieldMinWidth(140)).
		field("Server", fieldFilter(), link(serverUID, ""), fieldMinWidth(165)).
		field("Phase", fieldWidth(90), fieldFilter()).
		field("Reason", fieldWidth(150), fieldFilter()).
		field("Last success", fieldWidth(140), fieldUnit(ago), fieldNone("none known")).
		field("OK, 1 h", fieldWidth(75), fieldUnit(share), fieldDecimals(0), fieldColours(availability...), fieldCell("color-text")).
		field("Duration", fieldWidth(80), fieldUnit(seconds), fieldDecimals(0)).
		field("vs. 1 d ago", fieldWidth(120), fieldUnit(times), fieldDecimals(1), fieldColours(slowness...), fieldCell("color-text")).
		field("Certificate", fieldWidth(95), fieldUnit(days), fieldDecimals(0), fieldColours(certificate...), fieldCell("color-text"), fieldNone("no TLS")).
		field("Quota", fieldWidth(105), fieldUnit(percent), fieldDecimals(0), fieldColours(fullness...), fieldCell("gauge"), property{"min", 0}, property{"max", 100}).
		field("Next login", fieldWidth(110), fieldUnit(ago)).
		field("Exporter", fieldWidth(135)).
		field("job", property{"custom.hidden", true})
}

// maxTimelineAccounts is the number of accounts in a timeline.
const maxTimelineAccounts = 15

// availabilityTimeline shows the worst accounts only, so that it is readable with a thousand of them.
func availabilityTimeline() panel {
	expr := fmt.Sprintf(`min by (account, server) (%s)
and on (account, server) bottomk(%d, avg by (account, server) (avg_over_time(imap_probe_success{@}[$__range] @ end())))`, timelineState, maxTimelineAccounts)
	return stateTimeline("Availability of accounts",
		fmt.Sprintf("Whether the last probe succeeded, over time, for the %d accounts with the lowest availability in the time range. With several exporters, the worst state. ", maxTimelineAccounts)+
			"A gap means that no probe ran: the exporter was down, or the account was new. A single red account: look at its row in the table. All accounts of one server: open the server. "+
			"All accounts: the network, or the exporter itself.",
		query(expr, "{{account}}"),
	).mapped(timelineWords...).unit(count).none("No account was probed in this time")
}

func failuresByReason() panel {
	return timeseries("Failures by reason",
		"Failed probes by phase (where) and reason (why). auth/rejected is a wrong password, auth/throttled the server's limit, connect/timeout a firewall, select/timeout a mailbox store that hangs. "+
			"docs/imap.md says who acts on which reason. A rare pair is counted from its second failure.",
		query(`sum by (phase, reason) (increase(imap_probe_failure_reasons_total{@}[$__rate_interval])) > 0`, "{{phase}} / {{reason}}"),
	).bars().counting().none("No failure in this time").
		option("legend", object{"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"sum"}, "sortBy": "Total", "sortDesc": true})
}

func loginHeatmap() panel {
	return heatmap("Login: how long, how often",
		"All successful logins by duration: a row is a range of durations, a cell's colour the number of logins in it. A second stripe above the first means that one server, or some of the logins, are slow. "+
			"The table's column Duration shows which accounts. Needs classic histograms.",
		`sum by (le) (increase(imap_probe_phase_duration_seconds_bucket{@, phase="auth"}[$__rate_interval]))`,
	).unit(count).none("No successful login in this time, or no classic histograms")
}

func probeHeatmap() panel {
	return heatmap("Whole probe: how long, how often",
		"All successful probes by duration, from DNS to LOGOUT. If they are slow here and not in the login, see the phases below. Needs classic histograms.",
		`sum by (le) (increase(imap_probe_duration_seconds_bucket{@}[$__rate_interval]))`,
	).unit(count).none("No successful probe in this time, or no classic histograms")
}

func phaseQuantile() panel {
	return timeseries("Latency by phase, $quantile quantile",
		"Duration of successful phases, over all accounts shown. Choose the quantile at the top. The network is blue, TLS green, the login orange, the mailbox violet. Classic histograms begin at 5 ms; faster phases are shown just below that. "+
			"If one phase grows alone, see docs/imap.md, \"what makes it slow\".",
		query(quantile("$quantile", phaseHistogram, "phase", rateInterval), "{{phase}}"),
	).logarithmic().unit(seconds).byPhase().none("No successful phase in this time").look("spanNulls", maxGapMillis)
}

func phaseTable() panel {
	value := []property{
		fieldUnit(seconds), fieldDecimals(1), fieldColours(step{good, 0}, step{warning, 0.5}, step{bad, 2}), fieldCell("color-text"),
	}
	return table("Latency by phase, whole range",
		"Quantiles of each phase over the time range, the slowest first. A wide gap between p50 and p99 means that a few probes or accounts are slow, and most are not.",
		column(quantile("0.5", phaseHistogram, "phase", timeRange)),
		column(quantile("0.95", phaseHistogram, "phase", timeRange)),
		column(quantile("0.99", phaseHistogram, "phase", timeRange)),
	).wide(8).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true},
			"indexByName":   object{"phase": 0, "Value #A": 1, "Value #B": 2, "Value #C": 3},
			"renameByName":  object{"phase": "Phase", "Value #A": "p50", "Value #B": "p95", "Value #C": "p99"},
		}).
		sorted("p95").unit(text).none("–").onePage().
		field("p50", value...).field("p95", value...).field("p99", value...)
}

// maxGapMillis is the longest gap between two points that a line bridges, for accounts that are probed seldom.
const maxGapMillis = 600_000

// quantileVariable chooses what phaseQuantile shows.
func quantileVariable() variable {
	return variable{name: "quantile", label: "Quantile", help: "The quantile in the graph of latency by phase.", choices: []string{"0.5", "0.9", "0.95", "0.99"}, value: "0.95"}
}
