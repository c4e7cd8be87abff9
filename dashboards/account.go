package dashboards

import (
	"fmt"

	"imap-exporter/probe"
)

// account answers: what is wrong with this one account, in which phase, and since when is it different.
func account() Dashboard {
	return Dashboard{
		UID: accountUID, Title: "IMAP / Account", from: "now-6h", selector: ofAccount,
		Help: "One account: in which phase its time goes, how that differs from last week, and what is in its mailbox.",
		variables: append(exporters(),
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
			{title: "Quota, certificate and server", height: 8, panels: append(quota(), certificateLeft(), capabilityChanges("One account's server: every account of it counts. "))},
			{height: 4, panels: []panel{about()}},
		},
	}
}

func accountHeadline() []panel {
	return []panel{
		stat("State", "FAILING: the last probe failed. HELD BACK: the password was rejected, and the exporter waits. UNSTEADY: a probe failed within 15 minutes. NO PROBE: never probed, or no fresh result. Of several exporters, the worst counts.",
			now("max ("+state+")", ""),
		).unit(count).mapped(stateWords...).none("no such account"),
		stat("Fails with", "Phase (where) and reason (why) of the last probe's failure; orange, if that was within 15 minutes, and the last probe went well. docs/imap.md tells what each pair means and who acts on it.",
			now(`max by (failure) (label_join(
  imap_probe_last_failure_info{@} + 1 or last_over_time(imap_probe_last_failure_info{@}[15m]), "failure", " / ", "phase", "reason"
))
or on () label_replace(0 * max(imap_probe_interval_seconds{@}), "failure", "nothing", "", "")`, "{{failure}}"),
		).named().unit(count).coloured(step{unknown, -1}, step{good, 0}, step{warning, 1}, step{bad, 2}).none("no such account").wide(4),
		stat("Last success", "When the last successful probe began. An exporter that was restarted has forgotten older ones; Prometheus is asked for a day back.",
			now("1000 * max ("+lastSuccess+")", ""),
		).plain().unit(ago).coloured(nothing...).none("none known").wide(4),
		stat("Next login", "When the next login will be tried, while logins are held back after rejected ones. A new password in the secret's file, or a reload, brings it forward.",
			now(`1000 * min (imap_probe_next_login_timestamp_seconds{@})`, ""),
		).plain().unit(ago).coloured(step{neutral, 0}, step{held, 1}).none("not held back"),
		stat("Succeeded", "Share of the time range in which the account's probes succeeded.",
			now(`min (avg_over_time(imap_probe_success{@}[$__range]))`, ""),
		).unit(share).decimals(1).coloured(availability...).none("not probed"),
		stat("Login", "How long the last login took, or until it failed. The waterfall shows whether it is always so.",
			now(`max (imap_probe_last_phase_duration_seconds{@, phase="auth"})`, ""),
		).plain().unit(seconds).decimals(0).coloured(loginTime...).none("no login").wide(2),
		stat("Certificate", "Days until the first certificate of the chain ends, also when the probe refused it. Renew it on the server.",
			now("min ("+certificateDays+")", ""),
		).unit(days).decimals(0).coloured(certificate...).none("no TLS"),
		stat("Quota", "How full the account's fullest quota is. At 100 % the server refuses new mail.",
			now("max ("+quotaPercent+")", ""),
		).unit(percent).decimals(0).coloured(fullness...).none("none").wide(2),
	}
}

// waterfall asks for each phase by itself, because Grafana stacks in the order of the queries.
func waterfall() panel {
	var queries []target
	for _, phase := range probe.IMAP.Phases {
		expr := fmt.Sprintf(`avg by (phase) (imap_probe_last_phase_duration_seconds{@, phase="%s"})`, phase)
		queries = append(queries, query(expr, string(phase)))
	}
	return timeseries("Waterfall of phases",
		"Where each probe's time went, phase on phase in the order in which they happen, from below. The network is blue, TLS green, the login orange, the mailbox violet. "+
			"A phase that failed is as high as the time until it did: a wall of 3 s is a timeout. The mean, if several exporters probe the account.",
		queries...,
	).stacked().unit(seconds).from0().byPhase().wide(15).none("No fresh result in this time").
		look("lineInterpolation", "stepAfter").
		option("legend", object{"displayMode": "table", "placement": "right", "showLegend": true, "calcs": []string{"lastNotNull", "mean"}})
}

func whatFailed() panel {
	return stateTimeline("What failed when",
		"Above, how the last probe of each exporter went; below, each phase and reason while it was that of the last failure. A gap means that no probe ran.",
		query(strip, "{{instance}}"),
		query(`max by (phase, reason) (imap_probe_last_failure_info{@}) - 1`, "{{phase}} / {{reason}}"),
	).mapped(stripWords...).unit(count).wide(9).none("No probe in this time")
}

// now and a week ago, smoothed over an hour.
const (
	phaseNow      = `avg by (phase) (avg_over_time(imap_probe_last_phase_duration_seconds{@}[1h]))`
	phaseLastWeek = `avg by (phase) (avg_over_time(imap_probe_last_phase_duration_seconds{@}[1h] offset 1w))`
)

func lastWeekGraph() panel {
	return timeseries("Each phase against its own last week",
		"How many times as long each phase takes as a week before, at the same hour; means of an hour, in which a phase that failed counts with the time until it did. 1 is as ever. All phases up: the network, or a server that has too much to do. One phase up: its own cause, see docs/imap.md.",
		query("("+phaseNow+")\n/ ("+phaseLastWeek+" > 0)", "{{phase}}"),
	).unit(times).decimals(1).byPhase().wide(10).none("No history of a week yet").
		look("scaleDistribution", object{"type": "log", "log": 2}).look("fillOpacity", 0).
		coloured(step{"transparent", 0}, step{warning, 1.5}, step{bad, 3}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "dashed"})
}

func lastWeekTable() panel {
	return table("Now and last week",
		"Mean of each phase in the last hour, in the same hour a week ago, and how many times as long it takes now.",
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
		"The round trip that the operating system measured in the TCP handshake, and the phases that can't be shorter. What the greeting takes beyond one round trip is the server's doing.",
		query(`avg (imap_tcp_rtt_seconds{@})`, "round trip"),
		query(`avg by (phase) (imap_probe_last_phase_duration_seconds{@, phase=~"connect|greeting"})`, "{{phase}}"),
	).logarithmic().below().unit(seconds).byPhase().wide(7).look("spanNulls", bridged).none("No connection in this time")
}

func mailbox() []panel {
	return []panel{
		timeseries("Messages", "Messages in each mailbox, and those that nobody has read. Only ever up: nobody tidies, and the quota is next. Down to 0: somebody or something emptied it.",
			query(`topk(10, max by (mailbox) (imap_mailbox_messages{@}))`, "{{mailbox}}"),
			query(`topk(10, max by (mailbox) (imap_mailbox_unseen_messages{@}))`, "{{mailbox}}, unseen"),
		).below().counting().wide(6).look("spanNulls", bridged).none("No mailbox was read in this time"),
		timeseries("Arrivals per hour", "New messages in the hour that ends at each point, by the mailbox's next UID, deleted ones included. A flat 0 where mail usually comes: delivery is broken, though login is fine.",
			query(`topk(10, max by (mailbox) (increase(imap_mailbox_uidnext{@}[1h])))`, "{{mailbox}}"),
		).below().counting().wide(6).look("spanNulls", bridged).none("No mailbox was read in this time"),
		timeseries("Size", "Bytes of all messages in each mailbox, where the server tells (STATUS=SIZE).",
			query(`topk(10, max by (mailbox) (imap_mailbox_size_bytes{@}))`, "{{mailbox}}"),
		).below().unit(octets).from0().wide(6).look("spanNulls", bridged).none("No mailbox was read, or the server tells no sizes (STATUS=SIZE)"),
		timeseries("Age of the newest and oldest message", "How long ago the newest and the oldest message arrived. The newest only ever getting older: no mail arrives. A failed probe keeps what was known for up to 3 hours.",
			query(`time() - max by (mailbox) (last_over_time(imap_mailbox_newest_message_timestamp_seconds{@}`+kept+`))`, "newest, {{mailbox}}"),
			query(`time() - min by (mailbox) (last_over_time(imap_mailbox_oldest_message_timestamp_seconds{@}`+kept+`))`, "oldest, {{mailbox}}"),
		).below().unit(seconds).from0().wide(6).none("The mailbox is empty").
			override(override{"byRegexp", "/^oldest/", []property{{"custom.axisPlacement", "right"}, {"custom.fillOpacity", 0}}}),
	}
}

// used is the storage used of a quota root, and its limit.
const (
	storageUsed  = `max by (root) (last_over_time(imap_quota_storage_used_bytes{@}` + kept + `))`
	storageLimit = `max by (root) (last_over_time(imap_quota_storage_limit_bytes{@}` + kept + `))`
)

func quota() []panel {
	return []panel{
		timeseries("Quota and forecast", "Storage used, its limit, and what will be used in 7 days if it goes on as in the last day. The forecast above the limit: tidy up, or raise it, before mail is refused.",
			query(storageUsed, "used, {{root}}"),
			query(storageLimit, "limit, {{root}}"),
			query(`max by (root) (predict_linear(imap_quota_storage_used_bytes{@}[1d], 7 * 86400))`, "in 7 days, {{root}}"),
		).below().unit(octets).from0().wide(9).none("No quota, or no probe has got so far").
			override(
				override{"byRegexp", "/^limit/", []property{
					fieldColour(bad), {"custom.fillOpacity", 0}, {"custom.lineStyle", object{"fill": "dash", "dash": []int{10, 6}}},
				}},
				override{"byRegexp", "/^used/", []property{fieldColour("blue"), {"custom.fillOpacity", 30}}},
				override{"byRegexp", "/^in 7 days/", []property{
					fieldColour(warning), {"custom.fillOpacity", 0}, {"custom.lineStyle", object{"fill": "dot", "dash": []int{0, 6}}},
				}},
			),
		stat("Full in", "When the storage is full if it grows on as in the last day; \"not filling\" if it doesn't grow.",
			now("min ((\n  "+storageLimit+" - "+storageUsed+"\n) / (max by (root) (deriv(imap_quota_storage_used_bytes{@}[1d])) > 0))\nor on () 0 * max("+storageLimit+") - 1", ""),
		).unit(seconds).decimals(0).coloured(step{unknown, 0}, step{bad, 0}, step{warning, 3 * 86400}, step{good, 14 * 86400}).
			mapped(word{"-1", "not filling", good}).none("no quota").wide(3),
	}
}

func certificateLeft() panel {
	return timeseries("Days until the certificate ends", "Days until the chain's first certificate ends. A renewal is a step up; a line that only falls is one that nobody renews.",
		query("min by (instance) ("+certificateDays+")", "{{instance}}"),
	).below().unit(days).decimals(0).from0().wide(6).none("No TLS").
		coloured(step{bad, 0}, step{warning, 3}, step{"transparent", 21}).with("color", object{"mode": "palette-classic"}).
		look("thresholdsStyle", object{"mode": "area"})
}

func capabilityChanges(which string) panel {
	return timeseries("Capability changes", which+"How often the server announced other capabilities than before. After an upgrade once for each account; for ever where a load balancer has unequal servers behind it. A lost STARTTLS may be an attack. The server's dashboard tells which ones.",
		query(`sum by (server) (increase(imap_capability_changes_total{job=~"$job", instance=~"$instance", server=~"$server"}[$__rate_interval]))`, "{{server}}"),
	).bars().below().counting().wide(6).none("No change known")
}

// about has what is known of the account beside its values.
func about() panel {
	return table("About the account",
		"The labels that the account has in the exporter's configuration, and what its last probe negotiated. TLS below 1.2 deserves an upgrade of the server. A new UIDVALIDITY, counted over a day, makes every client download all mail again.",
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
