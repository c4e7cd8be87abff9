package dashboards

// overview shows what is broken now, since when, where and why, and whether we meet our objectives.
func overview() Dashboard {
	return Dashboard{
		UID: overviewUID, Title: "IMAP / Overview", from: "now-3h", selector: ofServers,
		Help: "What is broken now, since when, where and why, and whether the objectives are met.",
		variables: append(exporterVariables(),
			variable{
				name: "server", label: "Server", help: "The mail servers to show.",
				query: `label_values(imap_probe_interval_seconds{job=~"$job", instance=~"$instance"}, server)`, all: true,
			},
			quantileVariable(),
			variable{name: "slo", label: "Availability target, %", help: "Share of probes that must succeed, over 30 days.", value: "99.5"},
			variable{name: "login_target", label: "Login target, s", help: "How long a login may take.", value: "2"},
			variable{name: "probe_target", label: "Probe target, s", help: "How long a whole probe may take.", value: "5"},
		),
		rows: []row{
			{height: 4, panels: headline()},
			{height: 12, panels: []panel{accountTable("Accounts: what is broken, and since when",
				"One line for each account and exporter, the worst first; click a name to open the account or the server. Phase and reason say where and why the last probe failed; for an UNSTEADY account, the most frequent failure. "+
					"FAILING: the last probe failed. SUSPENDED: logins were rejected, and the exporter waits before it tries again, so that the server doesn't lock the account. "+
					"NO PROBE: never probed, or no recent result: look at the exporter. UNSTEADY: fine now, but a probe failed within 15 minutes. "+
					"WARNING: certificate, quota or latency, see the coloured cell. "+
					"Duration is the mean of the successful probes of the last 15 minutes.")}},
			{title: "Availability", height: 10, panels: []panel{availabilityTimeline().wide(14), failuresByReason().wide(10)}},
			{title: "Latency", height: 9, panels: []panel{
				loginHeatmap(), probeHeatmap(),
			}},
			{height: 9, panels: []panel{phaseQuantile().wide(16), phaseTable()}},
			{title: "Objectives, 30 days", height: 8, panels: objectives()},
		},
	}
}

// headline is the top row, which answers the question at a glance.
func headline() []panel {
	tile := func(title, help, state string, steps []step) panel {
		return stat(title, help, instantQuery(accounts(state), "")).unit(count).decimals(0).coloured(steps...).none("no account")
	}
	return []panel{
		tile("Failing", "Accounts whose last probe failed. The table says since when and why.", failing, redIfAny),
		tile("Suspended", "Accounts whose password was rejected. The exporter tries again later and less often, so that the server doesn't lock the account. Correct the password in the exporter's secret, or unlock the account.", suspended, purpleIfAny),
		tile("No probe", "Accounts that were never probed, or have no recent result. The cause is the exporter, not the server: open the exporter's dashboard.", noProbe, blueIfAny),
		tile("Unsteady", "Accounts that are fine now, but had a failed probe within 15 minutes. Look at the failures by reason.", unsteady, orangeIfAny),
		tile("Warning", "Accounts that are fine now, but need attention: the certificate expires within 21 days, a quota is 90 % full, or probes take three times as long as yesterday. The coloured cell in the table shows which.", atRisk, yellowIfAny),
		tile("OK", "Accounts whose probes all succeeded for 15 minutes.", allOK, greenIfAny).plain(),
		stat("Servers affected", "Mail servers with at least one account that fails or is suspended. One server with many accounts: it is the server. Many servers at once: the network, or the exporter.",
			instantQuery(`count(count by (server) (imap_probe_success{@} == 0)) or 0 * count(imap_probe_interval_seconds{@})`, ""),
		).unit(count).decimals(0).coloured(redIfAny...).none("no account"),
		stat("Error budget", "Remaining share of the failures that the target allows in 30 days; below 0 the target is missed. If it falls quickly, see the burn rate below.",
			instantQuery(budget, ""),
		).unit(share).decimals(0).coloured(step{unknown, 0}, step{bad, -1e6}, step{warning, 1e-9}, step{good, 0.25}).none("no history"),
	}
}

// availability30d samples the mean of all accounts every 5 minutes: a month of each account's own samples would be too many.
const availability30d = `avg_over_time(avg(imap_probe_success{@})[30d:5m])`

const budget = `1 - (1 - ` + availability30d + `) / (1 - $slo / 100)`

func objectives() []panel {
	within := func(metric, target string) string {
		return `avg_over_time(avg((` + metric + ` and on (` + key + `) imap_probe_success{@} == 1) <= bool ` + target + `)[30d:5m])`
	}
	return []panel{
		stat("Objectives met", "Share of the last 30 days in which probes succeeded, and in which successful probes and their logins were within the targets set at the top. Mean of all accounts, sampled every 5 minutes.",
			instantQuery(availability30d, "available"),
			instantQuery(within(`imap_probe_last_phase_duration_seconds{@, phase="auth"}`, "$login_target"), "logins in time"),
			instantQuery(within(`imap_probe_last_duration_seconds{@}`, "$probe_target"), "probes in time"),
		).plain().option("textMode", "value_and_name").option("orientation", "horizontal").
			unit(share).decimals(2).coloured(availability...).none("no history").wide(5),
		timeseries("Error budget left, 30 days", "Remaining share of the failures that the target allows, over the 30 days that end at each point.",
			query(budget, "budget left"),
		).below().unit(share).wide(6).none("No history"),
		timeseries("Burn rate", "How fast the error budget is used up: at 1 it lasts exactly 30 days, at 14.4 one day uses up half of it. Alerts page when both the short and the long window are high.",
			query(`(1 - avg_over_time(avg(imap_probe_success{@})[1h:1m])) / (1 - $slo / 100)`, "1 h"),
			query(`(1 - avg_over_time(avg(imap_probe_success{@})[6h:5m])) / (1 - $slo / 100)`, "6 h"),
		).below().unit(times).from0().wide(6).none("No history"),
		barGauge("Least available in this time", "The ten accounts with the lowest share of successful probes in the time range. Open them from the table above.",
			instantQuery(`sort(bottomk(10, min by (account) (avg_over_time(imap_probe_success{@}[$__range]))))`, "{{account}}"),
		).unit(share).decimals(1).between(0, 1).coloured(availability...).wide(7).none("No account was probed in this time"),
	}
}
