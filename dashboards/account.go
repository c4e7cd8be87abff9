package dashboards

import (
	"fmt"

	"imap-exporter/probe"
)

// account shows what is wrong with one account, in which phase, and since when.
func account() Dashboard {
	return Dashboard{
		UID: accountUID, Title: "IMAP / Account", from: "now-6h", selector: ofAccount,
		Help: "One account: how long each phase takes, how that differs from last week, and what is in its mailbox.",
		variables: append(exporterVariables(),
			variable{
				name: "account", label: "Account", help: "The account to show.",
				query: `label_values(imap_probe_interval_seconds{job=~"$job", instance=~"$instance"}, account)`,
			},
			variable{
				name: "server", label: "Server", help: "The account's mail server.",
				query: `label_values(imap_probe_interval_seconds{job=~"$job", instance=~"$instance", account=~"$account"}, server)`,
			},
		),
		rows: []row{
			{height: 4, panels: accountHeadline()},
			{title: "Where the time goes", height: 10, panels: []panel{waterfall(), whatFailed()}},
			{title: "Compared with last week", height: 9, panels: []panel{lastWeekGraph(), lastWeekTable(), network()}},
			{title: "Mailbox", height: 8, panels: mailbox()},
			{title: "Quota, certificate and server", height: 8, panels: append(quota(), certificateLeft(), capabilityChanges("Counted by all accounts of this account's server. "))},
			{height: 4, panels: []panel{about()}},
		},
	}
}

func accountHeadline() []panel {
	return []panel{
		stat("State", "FAILING: the last probe failed. SUSPENDED: the password was rejected, and the exporter waits. UNSTEADY: a probe failed within 15 minutes. NO PROBE: never probed, or no recent result. With several exporters, the worst state.",
			instantQuery("max ("+state+")", ""),
		).unit(count).mapped(stateWords...).none("no such account"),
		stat("Fails with", "Phase (where) and reason (why) of the last failure: red if the last probe failed, orange if it succeeded after a failure within 15 minutes. docs/imap.md says what each pair means and who acts on it.",
			instantQuery(`max by (failure) (label_join(
  imap_probe_last_failure_info{@} + 1 or last_over_time(imap_probe_last_failure_info{@}[15m]), "failure", " / ", "phase", "reason"
))
or on () label_replace(0 * max(imap_probe_interval_seconds{@}), "failure", "nothing", "", "")`, "{{failure}}"),
		).named().unit(count).coloured(step{unknown, -1}, step{good, 0}, step{warning, 1}, step{bad, 2}).none("no such account").wide(4),
		stat("Last success", "When the last successful probe began. A restarted exporter doesn't remember, so the query looks back one day in Prometheus.",
			instantQuery("1000 * max ("+lastSuccess+")", ""),
		).plain().unit(ago).coloured(nothing...).none("none known").wide(4),
		stat("Next login", "When the next login will be tried, while logins are suspended after rejected ones. After a new password in the secret's file, or a reload, it happens at the next slot.",
			instantQuery(`1000 * min (imap_probe_next_login_timestamp_seconds{@})`, ""),
		).plain().unit(ago).coloured(step{neutral, 0}, step{paused, 1}).none("not suspended"),
		stat("Succeeded", "Share of the time range in which the account's probes succeeded.",
			instantQuery(`min (avg_over_time(imap_probe_success{@}[$__range]))`, ""),
		).unit(share).decimals(1).coloured(availability...).none("not probed"),
		stat("Login", "How long the last login took, or until it failed. The waterfall shows earlier ones.",
			instantQuery(`max (imap_probe_last_phase_duration_seconds{@, phase="auth"})`, ""),
		).plain().unit(seconds).decimals(0).coloured(loginTime...).none("no login").wide(2),
		stat("Certificate", "Days until the first certificate of the chain expires, even if the probe rejected it. Renew it on the server.",
			instantQuery("min ("+certificateDays+")", ""),
		).unit(days).decimals(0).coloured(certificate...).none("no TLS"),
		stat("Quota", "Use of the account's fullest quota. At 100 % the server refuses new mail.",
			instantQuery("max ("+quotaPercent+")", ""),
		).unit(percent).decimals(0).coloured(fullness...).none("none").wide(2),
	}
}

// waterfall has a query for each phase, because Grafana stacks in the order of the queries.
func waterfall() panel {
	var queries []target
	for _, phase := range probe.IMAP.Phases {
		expr := fmt.Sprintf(`avg by (phase) (imap_probe_last_phase_duration_seconds{@, phase="%s"})`, phase)
		queries = append(queries, query(expr, string(phase)))
	}
	return timeseries("Waterfall of phases",
		"The duration of each probe's phases, stacked from below in the order in which they happen. The network is blue, TLS green, the login orange, the mailbox violet. "+
			"A failed phase shows the time until it failed: a flat 3 s is a timeout. If several exporters probe the account, the mean.",
		queries...,
	).stacked().unit(seconds).from0().byPhase().wide(15).none("No recent result in this time").
		look("lineInterpolation", "stepAfter").
		option("legend", object{"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"lastNotNull", "mean"}})
}

func whatFailed() panel {
	return stateTimeline("What failed when",
		"Above, the result of each exporter's last probe; below, phase and reason of the last failure, while the account failed. A gap means that no probe ran.",
		query(timelineState, "{{instance}}"),
		query(`max by (phase, reason) (imap_probe_last_failure_info{@}) - 1`, "{{phase}} / {{reason}}"),
	).mapped(timelineWords...).unit(count).wide(9).none("No probe in this time")
}

// Phase durations now and a week ago, averaged over an hour.
const (
	phaseNow      = `avg by (phase) (avg_over_time(imap_probe_last_phase_duration_seconds{@}[1h]))`
	phaseLastWeek = `avg by (phase) (avg_over_time(imap_probe_last_phase_duration_seconds{@}[1h] offset 1w))`
)

func lastWeekGraph() panel {
	return timeseries("Each phase compared with last week",
		"Duration of each phase divided by that of the same hour a week ago. Means of an hour; a failed phase counts with the time until it failed. 1 means no change. All phases up: the network, or an overloaded server. One phase up: a cause of its own, see docs/imap.md.",
		query("("+phaseNow+")\n/ ("+phaseLastWeek+" > 0)", "{{phase}}"),
	).unit(times).decimals(1).byPhase().wide(10).none("No history of a week yet").
		look("scaleDistribution", object{"type": "log", "log": 2}).look("fillOpacity", 0).
		coloured(step{"transparent", 0}, step{warning, 1.5}, step{bad, 3}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "dashed"})
}

func lastWeekTable() panel {
	return table("Now and last week",
		"Mean of each phase in the last hour, in the same hour a week ago, and the ratio of the two.",
		column(phaseNow), column(phaseLastWeek), column("("+phaseNow+")\n/ ("+phaseLastWeek+" > 0)"),
	).wide(7).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true},
			"indexByName":   object{"phase": 0, "Value #A": 1, "Value #B": 2, "Value #C": 3},
			"renameByName":  object{"phase": "Phase", "Value #A": "Now", "Value #B": "Last week", "Value #C": "Ratio"},
		}).
		sorted("Ratio").unit(text).none("–").onePage().
		field("Now", fieldUnit(seconds), fieldDecimals(1)).
		field("Last week", fieldUnit(seconds), fieldDecimals(1)).
		field("Ratio", fieldUnit(times), fieldDecimals(1), fieldColours(slowness...),
			fieldCell("color-background"))
}

func network() panel {
	return timeseries("The network or the server",
		"The round-trip time that the operating system measured in the TCP handshake, and the phases that can't be shorter. What the greeting takes beyond one round trip is the server's own time.",
		query(`avg (imap_tcp_rtt_seconds{@})`, "round trip"),
		query(`avg by (phase) (imap_probe_last_phase_duration_seconds{@, phase=~"connect|greeting"})`, "{{phase}}"),
	).logarithmic().below().unit(seconds).byPhase().wide(7).look("spanNulls", maxGapMillis).none("No connection in this time")
}

func mailbox() []panel {
	return []panel{
		timeseries("Messages", "Messages in each mailbox, and the unread ones. If it only grows, nobody deletes mail, and the quota will fill up. If it falls to 0, somebody or something emptied the mailbox.",
			query(`topk(10, max by (mailbox) (imap_mailbox_messages{@}))`, "{{mailbox}}"),
			query(`topk(10, max by (mailbox) (imap_mailbox_unseen_messages{@}))`, "{{mailbox}}, unseen"),
		).below().counting().wide(6).look("spanNulls", maxGapMillis).none("No mailbox was read in this time"),
		timeseries("Arrivals per hour", "New messages in the hour that ends at each point, counted by the mailbox's next UID, deleted ones included. A flat 0 where mail usually arrives: delivery is broken, although the login works.",
			query(`topk(10, max by (mailbox) (increase(imap_mailbox_uidnext{@}[1h])))`, "{{mailbox}}"),
		).below().counting().wide(6).look("spanNulls", maxGapMillis).none("No mailbox was read in this time"),
		timeseries("Size", "Bytes of all messages in each mailbox, if the server supports STATUS=SIZE.",
			query(`topk(10, max by (mailbox) (imap_mailbox_size_bytes{@}))`, "{{mailbox}}"),
		).below().unit(octets).from0().wide(6).look("spanNulls", maxGapMillis).none("No mailbox was read, or the server doesn't support STATUS=SIZE"),
		timeseries("Age of the newest and oldest message", "How long ago the newest and the oldest message arrived. If the newest one only gets older, no mail arrives. While probes fail, the last known value is shown for up to 3 hours.",
			query(`time() - max by (mailbox) (last_over_time(imap_mailbox_newest_message_timestamp_seconds{@}`+lookback+`))`, "newest, {{mailbox}}"),
			query(`time() - min by (mailbox) (last_over_time(imap_mailbox_oldest_message_timestamp_seconds{@}`+lookback+`))`, "oldest, {{mailbox}}"),
		).below().unit(seconds).from0().wide(6).none("The mailbox is empty").
			override(override{"byRegexp", "/^oldest/", []property{{"custom.axisPlacement", "right"}, {"custom.fillOpacity", 0}}}),
	}
}

// The storage used under a quota root, and its limit.
const (
	storageUsed  = `max by (root) (last_over_time(imap_quota_storage_used_bytes{@}` + lookback + `))`
	storageLimit = `max by (root) (last_over_time(imap_quota_storage_limit_bytes{@}` + lookback + `))`
)

func quota() []panel {
	return []panel{
		timeseries("Quota and forecast", "Storage used, its limit, and a forecast for 7 days from the growth of the last day. If the forecast exceeds the limit, delete mail or raise the limit before the server refuses mail.",
			query(storageUsed, "used, {{root}}"),
			query(storageLimit, "limit, {{root}}"),
			query(`max by (root) (predict_linear(imap_quota_storage_used_bytes{@}[1d], 7 * 86400))`, "in 7 days, {{root}}"),
		).below().unit(octets).from0().wide(9).none("No quota, or no probe has reached it").
			override(
				override{"byRegexp", "/^limit/", []property{
					fieldColour(bad), {"custom.fillOpacity", 0}, {"custom.lineStyle", object{"fill": "dash", "dash": []int{10, 6}}},
				}},
				override{"byRegexp", "/^used/", []property{fieldColour("blue"), {"custom.fillOpacity", 30}}},
				override{"byRegexp", "/^in 7 days/", []property{
					fieldColour(warning), {"custom.fillOpacity", 0}, {"custom.lineStyle", object{"fill": "dot", "dash": []int{0, 6}}},
				}},
			),
		stat("Full in", "When the storage will be full if it grows as in the last day; \"not filling\" if it doesn't grow.",
			instantQuery("min ((\n  "+storageLimit+" - "+storageUsed+"\n) / (max by (root) (deriv(imap_quota_storage_used_bytes{@}[1d])) > 0))\nor on () 0 * max("+storageLimit+") - 1", ""),
		).unit(seconds).decimals(0).coloured(step{unknown, 0}, step{bad, 0}, step{warning, 3 * 86400}, step{good, 14 * 86400}).
			mapped(word{"-1", "not filling", good}).none("no quota").wide(3),
	}
}

func certificateLeft() panel {
	return timeseries("Days until the certificate expires", "Days until the first certificate of the chain expires. A renewal is a step up; a line that only falls means that nobody renews it.",
		query("min by (instance) ("+certificateDays+")", "{{instance}}"),
	).below().unit(days).decimals(0).from0().wide(6).none("No TLS").
		coloured(step{bad, 0}, step{warning, 3}, step{"transparent", 21}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "area"})
}

func capabilityChanges(which string) panel {
	return timeseries("Capability changes", which+"How often the server announced other capabilities than before. After an upgrade, once for each account; all the time if different servers are behind a load balancer. A lost STARTTLS may be an attack. The server's dashboard shows which capabilities changed.",
		query(`sum by (server) (increase(imap_capability_changes_total{job=~"$job", instance=~"$instance", server=~"$server"}[$__rate_interval]))`, "{{server}}"),
	).bars().below().counting().wide(6).none("No change known")
}

// about shows the account's labels, its settings, and what its last probe negotiated.
func about() panel {
	return table("About the account",
		"The labels of the account in the exporter's configuration, and what its last probe negotiated. With TLS below 1.2, upgrade the server. New UIDVALIDITY counts changes in a day; each makes every client download all mail again.",
		column(`imap_account_info{@}`),
		column(`max by (`+key+`, version, cipher, mode) (imap_tls_info{@})`),
		column(`max by (`+key+`) (imap_probe_interval_seconds{@})`),
		column(`1000 * max by (`+key+`) (imap_probe_last_run_timestamp_seconds{@})`),
		column(`1000 * max by (`+key+`) (imap_probe_next_run_timestamp_seconds{@})`),
		column(`max by (`+key+`) (changes(imap_mailbox_uidvalidity{@}[1d]))`),
		column(`max by (`+key+`) (imap_quota_supported{@})`),
	).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true, "__name__": true, "Value #A": true, "Value #B": true, "job": true},
			"indexByName":   object{},
			"renameByName": object{
				"account": "Account", "server": "Server", "instance": "Exporter", "version": "TLS", "cipher": "Cipher", "mode": "Mode",
				"Value #C": "Interval", "Value #D": "Last probe", "Value #E": "Next probe", "Value #F": "New UIDVALIDITY",
				"Value #G": "Quota offered",
			},
		}).
		unit(text).none("–").onePage().
		field("TLS", fieldWidth(80)).
		field("Cipher", fieldWidth(220)).
		field("Mode", fieldWidth(90)).
		field("Interval", fieldUnit(seconds), fieldWidth(80)).
		field("Last probe", fieldUnit(ago), fieldWidth(145)).
		field("Next probe", fieldUnit(ago), fieldWidth(145)).
		field("New UIDVALIDITY", fieldUnit(count), fieldWidth(140)).
		field("Quota offered", fieldWidth(115), fieldWords(yesNo...))
}

var yesNo = []word{{"0", "no", neutral}, {"1", "yes", neutral}}
