package collectors

import (
	"strings"

	"imap-exporter/probe"
)

// A Metric is one entry of the catalogue: the promise about one metric's name, type, unit and labels.
type Metric struct {
	// Name begins with the protocol that it is about, as imap_, or is the exporter's own.
	Name string
	Type Type
	// Unit is the base unit, which is also the name's suffix (before _total). Counts, flags and infos have none.
	Unit string
	Help string
	// Labels are the names of all labels. imap_account_info alone has more: the accounts' own.
	Labels []string
	// Absent says when there is no such series, for the documentation.
	Absent string
}

// Type is the type of a metric, as in the TYPE line.
type Type string

// The types.
const (
	Gauge     Type = "gauge"
	Counter   Type = "counter"
	Histogram Type = "histogram"
)

// Catalogue returns every metric of /metrics, in the order of the documentation.
func Catalogue() []Metric {
	return namesOf(probe.IMAP.Name, catalogue[:onDemandSuccess])
}

// OnDemandCatalogue returns the metrics that only probes on demand have, besides the gauges of /metrics.
func OnDemandCatalogue() []Metric {
	return namesOf(probe.IMAP.Name, catalogue[onDemandSuccess:])
}

func namesOf(protocol string, shapes []Metric) []Metric {
	out := make([]Metric, len(shapes))
	for i, m := range shapes {
		out[i] = m.of(protocol)
	}
	return out
}

// of returns the metric of a protocol that has this shape: the name of a shape begins with _.
func (m Metric) of(protocol string) Metric {
	if strings.HasPrefix(m.Name, "_") {
		m.Name = protocol + m.Name
	}
	return m
}

// id is the index of a metric in the catalogue.
type id int

const (
	probeSuccess id = iota
	probeLastDuration
	probeLastPhaseDuration
	probeLastRun
	probeLastSuccess
	probeInterval
	probes
	probeFailures
	probeLastFailureInfo
	probeFailureReasons
	probeDuration
	probePhaseDuration
	probeSuspended
	probeNextRun
	probeNextLogin
	mailboxMessages
	mailboxUnseen
	mailboxRecent
	mailboxSize
	mailboxUIDNext
	mailboxUIDValidity
	mailboxHighestModSeq
	mailboxNewest
	mailboxOldest
	mailboxesTruncated
	mailboxesUnreadable
	namesLeftOut
	fetchBytes
	quotaSupported
	quotaStorageUsed
	quotaStorageLimit
	quotaMessagesUsed
	quotaMessagesLimit
	certificateNotAfter
	tlsInfo
	capabilityInfo
	capabilityChanges
	connectAttempts
	tcpRTT
	accountInfo
	exporterBuildInfo
	exporterAccounts
	exporterShard
	exporterShards
	exporterProbesInFlight
	exporterProbesScheduled
	exporterProbesStarted
	exporterProbesSkipped
	exporterStartLag
	exporterMeasurementError
	exporterTimestampSource
	exporterReloadSuccessful
	exporterReloadSuccess
	exporterLinesDropped
	onDemandSuccess // From here on: not on /metrics.
	onDemandDuration
	onDemandBlocked
	metricCount
)

// The label names of many metrics.
var (
	perAccount = []string{"account", "server"}
	perPhase   = []string{"account", "server", "phase"}
	perMailbox = []string{"account", "server", "mailbox"}
	perRoot    = []string{"account", "server", "root"}
)

// Why many metrics are absent.
const (
	never         = "never"
	noResult      = "before the first probe; when the last one succeeded more than 3 intervals ago"
	noFreshResult = "before the first probe; when the last one began more than 3 intervals ago"
	noSuccess     = "unless the last probe succeeded, at most 3 intervals ago"
)

// catalogue is the one table of metrics: the code, docs/metrics.md and the tests all read it. Names that begin with _ are
// shapes, which each protocol has. It is never changed.
var catalogue = [metricCount]Metric{
	probeSuccess: {
		"_probe_success", Gauge, "", "Whether the last probe succeeded (1) or failed (0).",
		perAccount, noResult,
	},
	probeLastDuration: {
		"_probe_last_duration_seconds", Gauge, "seconds", "How long the last probe took, LOGOUT included.",
		perAccount, noFreshResult,
	},
	probeLastPhaseDuration: {
		"_probe_last_phase_duration_seconds", Gauge, "seconds",
		"How long each phase of the last probe took; for the phase that failed, until it did.",
		perPhase, noFreshResult + "; for a phase that did not run",
	},
	probeLastRun: {
		"_probe_last_run_timestamp_seconds", Gauge, "seconds", "When the last probe began, as Unix time.",
		perAccount, "before the first probe",
	},
	probeLastSuccess: {
		"_probe_last_success_timestamp_seconds", Gauge, "seconds", "When the last successful probe began, as Unix time.",
		perAccount, "before the first success since the exporter started",
	},
	probeInterval: {
		"_probe_interval_seconds", Gauge, "seconds", "Configured interval between probes; 0 means only on demand.",
		perAccount, never,
	},
	probes: {
		"_probes_total", Counter, "", "Finished probes, successful or not.",
		perAccount, never,
	},
	probeFailures: {
		"_probe_failures_total", Counter, "", "Failed probes.",
		perAccount, never,
	},
	probeLastFailureInfo: {
		"_probe_last_failure_info", Gauge, "", "Where (phase) and why (reason) the last probe failed. Always 1.",
		[]string{"account", "server", "phase", "reason"},
		"unless the last probe failed",
	},
	probeFailureReasons: {
		"_probe_failure_reasons_total", Counter, "", "Failed probes by phase and reason.",
		[]string{"server", "phase", "reason"},
		"for a rare pair of phase and reason that has not happened",
	},
	probeDuration: {
		"_probe_duration_seconds", Histogram, "seconds", "How long successful probes took, LOGOUT included.",
		[]string{"server"},
		never,
	},
	probePhaseDuration: {
		"_probe_phase_duration_seconds", Histogram, "seconds", "How long the phases that ended well took, in failed probes too.",
		[]string{"server", "phase"},
		"for a phase that has not ended well yet",
	},
	probeSuspended: {
		"_probe_suspended", Gauge, "", "Whether logins are suspended after rejected ones (1) or not (0).",
		perAccount, never,
	},
	probeNextRun: {
		"_probe_next_run_timestamp_seconds", Gauge, "seconds", "When the next probe is due, as Unix time.",
		perAccount, "for an account that is only probed on demand",
	},
	probeNextLogin: {
		"_probe_next_login_timestamp_seconds", Gauge, "seconds", "When the next login will be tried, as Unix time.",
		perAccount, "unless logins are suspended",
	},
	mailboxMessages: {
		"_mailbox_messages", Gauge, "", "Messages in the mailbox, as of the last probe.",
		perMailbox, noSuccess,
	},
	mailboxUnseen: {
		"_mailbox_unseen_messages", Gauge, "", "Messages without the flag \\Seen, as of the last probe.",
		perMailbox, noSuccess,
	},
	mailboxRecent: {
		"_mailbox_recent_messages", Gauge, "", "Messages with the flag \\Recent, as of the last probe.",
		perMailbox, noSuccess + "; without read_only (SELECT takes the flag away); on IMAP4rev2 alone",
	},
	mailboxSize: {
		"_mailbox_size_bytes", Gauge, "bytes", "Size of all messages in the mailbox, as of the last probe.",
		perMailbox, noSuccess + "; unless the server offers STATUS=SIZE or IMAP4rev2",
	},
	mailboxUIDNext: {
		"_mailbox_uidnext", Gauge, "", "UID that the next message will get, as of the last probe.",
		perMailbox, noSuccess,
	},
	mailboxUIDValidity: {
		"_mailbox_uidvalidity", Gauge, "", "UIDVALIDITY of the mailbox, as of the last probe; a change makes all known UIDs invalid.",
		perMailbox, noSuccess,
	},
	mailboxHighestModSeq: {
		"_mailbox_highest_modseq", Gauge, "", "HIGHESTMODSEQ of the mailbox, as of the last probe; it grows with every change.",
		perMailbox, noSuccess + "; unless the server offers CONDSTORE for the mailbox",
	},
	mailboxNewest: {
		"_mailbox_newest_message_timestamp_seconds", Gauge, "seconds",
		"INTERNALDATE of the message with the highest sequence number, as Unix time, as of the last probe.",
		perMailbox, noSuccess + "; for a mailbox that is empty or not the selected one; for a date before 1971 or more than a day ahead",
	},
	mailboxOldest: {
		"_mailbox_oldest_message_timestamp_seconds", Gauge, "seconds",
		"INTERNALDATE of the message with the lowest sequence number, as Unix time, as of the last probe.",
		perMailbox, noSuccess + "; for a mailbox that is empty or not the selected one; for a date before 1971 or more than a day ahead",
	},
	mailboxesTruncated: {
		"_mailboxes_truncated", Gauge, "", "Whether the LIST patterns of the last probe matched more mailboxes than are exported.",
		perAccount, noSuccess + "; without patterns in mailboxes",
	},
	mailboxesUnreadable: {
		"_mailboxes_unreadable", Gauge, "",
		"Mailboxes of the last probe that are not exported: their name or counts can't be read, or their label is another mailbox's.",
		perAccount, noSuccess + "; without patterns in mailboxes",
	},
	namesLeftOut: {
		"_names_left_out", Gauge, "",
		"Mailboxes and quota roots of the last probe that are not exported, because an account may have 16 new names in an hour.",
		perAccount, noSuccess,
	},
	fetchBytes: {
		"_fetch_bytes", Gauge, "bytes", "Bytes of the message that the last probe fetched.",
		perMailbox, noSuccess + "; when the mailbox is empty or nothing is to be fetched",
	},
	quotaSupported: {
		"_quota_supported", Gauge, "", "Whether the server announced QUOTA in the last probe.",
		perAccount, noSuccess + "; with quota: false",
	},
	quotaStorageUsed: {
		"_quota_storage_used_bytes", Gauge, "bytes", "Storage used under the quota root, as of the last probe.",
		perRoot, noSuccess + "; when the server tells none",
	},
	quotaStorageLimit: {
		"_quota_storage_limit_bytes", Gauge, "bytes", "Limit of the storage under the quota root, as of the last probe.",
		perRoot, noSuccess + "; without a limit, which is how a limit of 0, -1 or beyond 2^53 is read",
	},
	quotaMessagesUsed: {
		"_quota_messages_used", Gauge, "", "Messages under the quota root, as of the last probe.",
		perRoot, noSuccess + "; when the server tells none",
	},
	quotaMessagesLimit: {
		"_quota_messages_limit", Gauge, "", "Limit of the messages under the quota root, as of the last probe.",
		perRoot, noSuccess + "; without a limit, which is how a limit of 0, -1 or beyond 2^53 is read",
	},
	certificateNotAfter: {
		"_tls_certificate_not_after_timestamp_seconds", Gauge, "seconds",
		"When the certificate chain of the last probe expires (the earliest notAfter), as Unix time.",
		perAccount, noFreshResult + "; when the last probe saw no certificate",
	},
	tlsInfo: {
		"_tls_info", Gauge, "", "TLS version and cipher suite of the last probe. Always 1.",
		[]string{"account", "server", "version", "cipher", "mode"},
		noFreshResult + "; when the last probe finished no handshake",
	},
	capabilityInfo: {
		"_capability_info", Gauge, "",
		"Capabilities that the server offered in the last probe that reached the stage. Always 1.",
		[]string{"server", "mode", "stage", "capability"},
		"when not offered; when no account of the server reached the stage, or their last probes all began more than 3 intervals ago",
	},
	capabilityChanges: {
		"_capability_changes_total", Counter, "",
		"Times that a server's capabilities differed from those of the same account's probe before, at the same stage.",
		[]string{"server"},
		never,
	},
	connectAttempts: {
		"_connect_attempts_total", Counter, "", "Attempts to connect, by address family (4 or 6) and result (ok or the reason).",
		[]string{"server", "family", "result"},
		"for a family that has not been tried; for a rare reason that has not happened",
	},
	tcpRTT: {
		"_tcp_rtt_seconds", Gauge, "seconds",
		"Round-trip time of the last probe's TCP handshake, by the operating system (TCP_INFO).",
		perAccount, noFreshResult + "; when the last probe got no connection; where the system doesn't provide it",
	},
	accountInfo: {
		"_account_info", Gauge, "", "The account's own labels from the configuration. Always 1.",
		perAccount, never,
	},
	exporterBuildInfo: {
		"imap_exporter_build_info", Gauge, "",
		"A metric with a constant '1' value labeled by version, revision, branch, goversion from which imap_exporter was built, " +
			"and the goos and goarch for the build.",
		[]string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
		never,
	},
	exporterAccounts: {
		"imap_exporter_accounts", Gauge, "", "Configured accounts.",
		nil, never,
	},
	exporterShard: {
		"imap_exporter_shard", Gauge, "", "Number of this exporter's shard, counted from 0.",
		nil, never,
	},
	exporterShards: {
		"imap_exporter_shards", Gauge, "", "Number of exporters that share the accounts.",
		nil, never,
	},
	exporterProbesInFlight: {
		"imap_exporter_probes_in_flight", Gauge, "", "Probes that are running.",
		nil, never,
	},
	exporterProbesScheduled: {
		"imap_exporter_probes_scheduled_total", Counter, "", "Times that a probe was due. Each was started or skipped.",
		nil, never,
	},
	exporterProbesStarted: {
		"imap_exporter_probes_started_total", Counter, "", "Probes that were started when they were due.",
		nil, never,
	},
	exporterProbesSkipped: {
		"imap_exporter_probes_skipped_total", Counter, "",
		"Probes that were due and not started, by reason (overload, backoff, unavailable, throttled or shutdown).",
		[]string{"reason"},
		never,
	},
	exporterStartLag: {
		"imap_exporter_probe_start_lag_seconds", Histogram, "seconds", "Time from when a probe was due until it was started.",
		nil, never,
	},
	exporterMeasurementError: {
		"imap_exporter_measurement_error_seconds", Histogram, "seconds",
		"Time from the arrival of a phase's responses until the exporter read them. Phase durations don't include it.",
		nil, never,
	},
	exporterTimestampSource: {
		"imap_exporter_timestamp_source_info", Gauge, "",
		"Source of the arrival times in the last probe: the kernel, or the exporter itself (user). Always 1.",
		[]string{"source"},
		"before the first connection",
	},
	exporterReloadSuccessful: {
		"imap_exporter_config_last_reload_successful", Gauge, "", "Whether the last attempt to load the configuration succeeded.",
		nil, never,
	},
	exporterReloadSuccess: {
		"imap_exporter_config_last_reload_success_timestamp_seconds", Gauge, "seconds",
		"When the configuration was last loaded successfully, as Unix time.",
		nil, never,
	},
	exporterLinesDropped: {
		"imap_exporter_log_lines_dropped_total", Counter, "",
		"Log lines that were dropped because nobody read them or the disk was full.",
		nil, never,
	},
	onDemandSuccess: {
		"probe_success", Gauge, "", "Whether the probe succeeded (1) or not (0).",
		perAccount, "when the rejected login of another account blocked the probe",
	},
	onDemandDuration: {
		"probe_duration_seconds", Gauge, "seconds", "How long the probe took, LOGOUT included, or how long the request waited for it.",
		perAccount, "when no probe ran",
	},
	onDemandBlocked: {
		"_probe_held_back_info", Gauge, "", "Why no probe ran (backoff, unavailable, throttled or quiet). Always 1.",
		[]string{"account", "server", "reason"},
		"when a probe ran",
	},
}
