package dashboards

// exporter shows whether the figures are reliable, and whether the machine is large enough.
func exporter() Dashboard {
	return Dashboard{
		UID: exporterUID, Title: "IMAP / Exporter", from: "now-3h", selector: ofExporter,
		Help:      "The exporters themselves: whether they probe on time, measure accurately, and have enough resources.",
		variables: exporterVariables(),
		rows: []row{
			{height: 4, panels: exporterHeadline()},
			{title: "Exporters", height: 5, panels: []panel{exporterTable()}},
			{title: "Are probes on time", height: 8, panels: probesOnTime()},
			{title: "Are the figures accurate", height: 8, panels: accuracy()},
			{title: "What it uses", height: 7, panels: resources()},
			{title: "What a scrape costs, and the log", height: 7, panels: scrapes()},
		},
	}
}

func exporterHeadline() []panel {
	return []panel{
		stat("Up", "Exporters that Prometheus can scrape.",
			instantQuery(`sum(up{@})`, "")).plain().unit(count).coloured(step{bad, 0}, step{good, 1}).none("none known").wide(2),
		stat("Down", "Exporters that Prometheus can't scrape. Their accounts have no recent values: look at the process, then at the network between.",
			instantQuery(`count(up{@} == 0) or 0 * count(up{@})`, "")).unit(count).coloured(redIfAny...).none("none known").wide(2),
		stat("Accounts", "Configured accounts, of all exporters.",
			instantQuery(`sum(imap_exporter_accounts{@})`, "")).plain().unit(count).coloured(nothing...).none("none known"),
		stat("Shards missing", "Shards without a running exporter; their accounts aren't probed. Start the missing exporter, or correct --total-shards.",
			instantQuery(`max(imap_exporter_shards{@}) - count(count_values("shard", imap_exporter_shard{@}))`, "")).
			unit(count).coloured(redIfAny...).none("none known"),
		stat("Reload failed", "Exporters whose last reload of the configuration failed; they keep the old one. Their log names file and line, and so does imap-exporter check.",
			instantQuery(`count(imap_exporter_config_last_reload_successful{@} == 0) or 0 * count(imap_exporter_config_last_reload_successful{@})`, "")).
			unit(count).coloured(redIfAny...).none("none known"),
		stat("Overload skips", "Probes in the time range that were due and skipped, because too many others were running. Raise max_concurrent, or probe less often.",
			instantQuery(`sum(increase(imap_exporter_probes_skipped_total{@, reason="overload"}[$__range]))`, "")).
			unit(count).decimals(0).coloured(orangeIfAny...).none("none known"),
		stat("Start lag, p99", "99 of 100 probes in the time range started no later than this after they were due. Above 250 ms the machine, or max_concurrent, is too small.",
			instantQuery(quantile("0.99", lagHistogram, "", timeRange), "")).unit(seconds).coloured(lateness...).none("no probe").wide(4),
		stat("Measurement error, p99", "How late the exporter read a response, for 99 of 100 phases. With kernel timestamps, the exported durations don't contain this.",
			instantQuery(quantile("0.99", errorHistogram, "", timeRange), "")).unit(seconds).coloured(step{unknown, 0}, step{good, 0}, step{warning, 0.02}, step{bad, 0.1}).none("no probe").wide(4),
	}
}

const (
	lagHistogram   = "imap_exporter_probe_start_lag_seconds"
	errorHistogram = "imap_exporter_measurement_error_seconds"
)

var lateness = []step{{unknown, 0}, {good, 0}, {warning, 0.25}, {bad, 1}}

func exporterTable() panel {
	return table("Exporters",
		"One line for each exporter: its version, its shard and the number of shards, when it started, and when it loaded its configuration. Investigate different versions or different numbers of shards.",
		column(`max by (job, instance, version, revision, goversion) (imap_exporter_build_info{@})`),
		column(`max by (job, instance) (imap_exporter_accounts{@})`),
		column(`max by (job, instance) (imap_exporter_shard{@})`),
		column(`max by (job, instance) (imap_exporter_shards{@})`),
		column(`1000 * max by (job, instance) (process_start_time_seconds{@})`),
		column(`max by (job, instance) (imap_exporter_config_last_reload_successful{@})`),
		column(`1000 * max by (job, instance) (imap_exporter_config_last_reload_success_timestamp_seconds{@})`),
		column(`max by (job, instance, source) (imap_exporter_timestamp_source_info{@})`),
	).
		transform("merge", object{}).
		transform("organize", object{
			"excludeByName": object{"Time": true, "Value #A": true, "Value #H": true},
			"indexByName": object{
				"instance": 0, "job": 1, "Value #B": 2, "Value #C": 3, "Value #D": 4, "Value #E": 5, "Value #F": 6, "Value #G": 7,
				"source": 8, "version": 9, "revision": 10, "goversion": 11,
			},
			"renameByName": object{
				"instance": "Exporter", "job": "Job", "version": "Version", "revision": "Revision", "goversion": "Go", "source": "Timestamps",
				"Value #B": "Accounts", "Value #C": "Shard", "Value #D": "Of", "Value #E": "Started", "Value #F": "Configuration", "Value #G": "Loaded",
			},
		}).
		unit(text).none("–").
		field("Accounts", fieldUnit(count)).field("Shard", fieldUnit(count)).field("Of", fieldUnit(count)).
		field("Started", fieldUnit(ago)).field("Loaded", fieldUnit(ago)).
		field("Configuration", fieldWords(word{"0", "OLD: reload failed", bad}, word{"1", "current", good}),
			fieldCell("color-text"))
}

func probesOnTime() []panel {
	return []panel{
		timeseries("Due: started or skipped", "Probes that were due, each second: started, or skipped and why. overload: too many at once. backoff: logins are suspended. unavailable: the server could not check the last login. throttled: the server asked to wait. shutdown: the exporter was stopped.",
			query(`sum(rate(imap_exporter_probes_started_total{@}[$__rate_interval]))`, "started"),
			query(`sum by (reason) (rate(imap_exporter_probes_skipped_total{@}[$__rate_interval])) > 0`, "skipped, {{reason}}"),
			query(`sum(rate(imap_exporter_probes_scheduled_total{@}[$__rate_interval]))`, "due"),
		).stacked().below().unit(perSecond).from0().wide(8).none("No probe is due").
			field("due", property{"custom.stacking", object{"mode": "none"}}, property{"custom.fillOpacity", 0}, property{"custom.lineWidth", 1},
				property{"custom.lineStyle", object{"fill": "dash", "dash": []int{8, 6}}}, fieldColour(neutral)),
		timeseries("In flight", "Running probes. If always at max_concurrent, raise it, or find the server whose probes take long.",
			query(`topk(10, imap_exporter_probes_in_flight{@})`, "{{instance}}"),
		).below().counting().wide(8).none("No exporter"),
		timeseries("Start lag", "Time from when a probe was due until it started. Measured durations never include it. With a p99 above 250 ms, the machine or max_concurrent is too small.",
			query(quantile("0.5", lagHistogram, "", rateInterval), "p50"),
			query(quantile("0.99", lagHistogram, "", rateInterval), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No probe in this time"),
	}
}

func accuracy() []panel {
	return []panel{
		timeseries("Measurement error", "How long after its arrival the exporter read a response. With kernel timestamps (column Timestamps above: kernel), measured durations don't contain it; without (user), they do.",
			query(quantile("0.5", errorHistogram, "", rateInterval), "p50"),
			query(quantile("0.99", errorHistogram, "", rateInterval), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No probe in this time"),
		timeseries("Waiting for a core", "How long the exporter's goroutines waited for a free core. If high, the machine is too small, or a CPU limit throttles the container.",
			query(quantile("0.5", "go_sched_latencies_seconds", "", rateInterval), "p50"),
			query(quantile("0.99", "go_sched_latencies_seconds", "", rateInterval), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No exporter"),
		timeseries("Probes", "Finished probes and failed probes, each second.",
			query(`sum(rate(imap_probes_total{@}[$__rate_interval]))`, "finished"),
			query(`sum(rate(imap_probe_failures_total{@}[$__rate_interval]))`, "failed"),
		).below().unit(perSecond).from0().wide(8).none("No probe in this time").
			field("failed", fieldColour("red")),
	}
}

func resources() []panel {
	return []panel{
		timeseries("CPU, cores", "Cores that each exporter uses. It grows with accounts and TLS handshakes.",
			query(`topk(10, rate(process_cpu_seconds_total{@}[$__rate_interval]))`, "{{instance}}"),
		).below().unit(count).from0().wide(6).none("No exporter"),
		timeseries("Memory", "Resident memory, and the heap in it. If it only grows, it is a leak: please report it.",
			query(`topk(10, process_resident_memory_bytes{@})`, "{{instance}}"),
			query(`topk(10, go_memstats_heap_alloc_bytes{@})`, "{{instance}}, heap"),
		).below().unit(octets).from0().wide(6).none("No exporter"),
		timeseries("Goroutines", "Goroutines: some for the program, and one for each running probe.",
			query(`topk(10, go_goroutines{@})`, "{{instance}}"),
		).below().counting().wide(6).none("No exporter"),
		timeseries("File descriptors", "Share of the permitted file descriptors in use, including sockets. Near 100 %: raise LimitNOFILE.",
			query(`topk(10, process_open_fds{@} / process_max_fds{@})`, "{{instance}}"),
		).below().unit(share).decimals(0).between(0, 1).wide(6).none("No exporter"),
	}
}

func scrapes() []panel {
	return []panel{
		timeseries("Scrape duration", "How long the scrapes take. Near scrape_timeout: use fewer accounts for each exporter, or histograms: native.",
			query(`topk(10, scrape_duration_seconds{@})`, "{{instance}}"),
		).below().unit(seconds).from0().wide(6).none("No scrape"),
		timeseries("Samples a scrape", "Samples in each scrape, which Prometheus must store. histograms: classic or native in the configuration reduces them.",
			query(`topk(10, scrape_samples_scraped{@})`, "{{instance}}"),
		).below().unit(count).from0().wide(6).none("No scrape"),
		timeseries("Responses to scrapes", "Responses of /metrics each minute by HTTP status. 500: a fault of the exporter; see its log.",
			query(`60 * sum by (code) (rate(promhttp_metric_handler_requests_total{@}[$__rate_interval])) > 0`, "{{code}}"),
		).below().unit(perMinute).from0().wide(6).none("No scrape"),
		timeseries("Log lines lost", "Log lines that were dropped because nobody read them or the disk was full. Probes continue, but these lines are lost.",
			query(`topk(10, increase(imap_exporter_log_lines_dropped_total{@}[$__rate_interval]))`, "{{instance}}"),
		).below().counting().wide(6).none("No exporter"),
	}
}
