package dashboards

// exporter answers: can its figures be trusted, and has it enough of the machine.
func exporter() Dashboard {
	return Dashboard{
		UID: exporterUID, Title: "IMAP / Exporter", from: "now-3h", selector: ofExporter,
		Help:      "The exporters themselves: whether they probe in time, measure truly, and have what they need.",
		variables: exporters(),
		rows: []row{
			{height: 4, panels: exporterHeadline()},
			{title: "Exporters", height: 5, panels: []panel{exporterTable()}},
			{title: "Are probes in time", height: 8, panels: punctuality()},
			{title: "Are the figures true", height: 8, panels: truth()},
			{title: "What it uses", height: 7, panels: resources()},
			{title: "What a scrape costs, and the log", height: 7, panels: scrapes()},
		},
	}
}

func exporterHeadline() []panel {
	return []panel{
		stat("Up", "Exporters that Prometheus can scrape.",
			now(`sum(up{@})`, "")).plain().unit(count).coloured(step{bad, 0}, step{good, 1}).none("none known").wide(2),
		stat("Down", "Exporters that Prometheus can't scrape. Their accounts have no fresh values: look at the process, then at the network between.",
			now(`count(up{@} == 0) or 0 * count(up{@})`, "")).unit(count).coloured(anyIsBad...).none("none known").wide(2),
		stat("Accounts", "Configured accounts, of all exporters.",
			now(`sum(imap_exporter_accounts{@})`, "")).plain().unit(count).coloured(nothing...).none("none known"),
		stat("Shards missing", "Shards that no exporter says it is; their accounts aren't probed. Start the missing exporter, or correct --total-shards.",
			now(`max(imap_exporter_shards{@}) - count(count_values("shard", imap_exporter_shard{@}))`, "")).
			unit(count).coloured(anyIsBad...).none("none known"),
		stat("Reload failed", "Exporters whose last reload of the configuration failed; they go on with the old one. Their log names file and line; imap-exporter check finds the same.",
			now(`count(imap_exporter_config_last_reload_successful{@} == 0) or 0 * count(imap_exporter_config_last_reload_successful{@})`, "")).
			unit(count).coloured(anyIsBad...).none("none known"),
		stat("Overload skips", "Probes in the time range that were due and never started, because too many others ran. Raise max_concurrent, or probe less often.",
			now(`sum(increase(imap_exporter_probes_skipped_total{@, reason="overload"}[$__range]))`, "")).
			unit(count).decimals(0).coloured(anyIsWarning...).none("none known"),
		stat("Start lag, p99", "99 of 100 probes in the time range started no later than this after they were due. Above 250 ms the machine, or max_concurrent, is too small.",
			now(quantile("0.99", lagHistogram, "", whole), "")).unit(seconds).coloured(lateness...).none("no probe").wide(4),
		stat("Measurement error, p99", "What an ordinary clock would have added to a measured time, for 99 of 100 phases. With time stamps of the kernel, the exported times are free of it.",
			now(quantile("0.99", errorHistogram, "", whole), "")).unit(seconds).coloured(step{unknown, 0}, step{good, 0}, step{warning, 0.02}, step{bad, 0.1}).none("no probe").wide(4),
	}
}

const (
	lagHistogram   = "imap_exporter_probe_start_lag_seconds"
	errorHistogram = "imap_exporter_measurement_error_seconds"
)

var lateness = []step{{unknown, 0}, {good, 0}, {warning, 0.25}, {bad, 1}}

func exporterTable() panel {
	return table("Exporters",
		"One line for each exporter: its version, which shard it is and of how many, and since when it runs with which configuration. Different versions, or different counts of shards, want a look.",
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
				"instance": "Exporter", "job": "Job", "version": "Version", "revision": "Revision", "goversion": "Go", "source": "Time stamps",
				"Value #B": "Accounts", "Value #C": "Shard", "Value #D": "Of", "Value #E": "Started", "Value #F": "Configuration", "Value #G": "Loaded",
			},
		}).
		unit(text).none("–").
		field("Accounts", fieldUnit(count)).field("Shard", fieldUnit(count)).field("Of", fieldUnit(count)).
		field("Started", fieldUnit(ago)).field("Loaded", fieldUnit(ago)).
		field("Configuration", fieldWords(word{"0", "OLD: reload failed", bad}, word{"1", "in force", good}),
			fieldCell("color-text"))
}

func punctuality() []panel {
	return []panel{
		timeseries("Due: started or skipped", "Probes that were due, each second: started, or skipped and why. overload: too many at once. backoff: logins held back. throttled: the server wants fewer. shutdown: it was stopped.",
			query(`sum(rate(imap_exporter_probes_started_total{@}[$__rate_interval]))`, "started"),
			query(`sum by (reason) (rate(imap_exporter_probes_skipped_total{@}[$__rate_interval])) > 0`, "skipped, {{reason}}"),
			query(`sum(rate(imap_exporter_probes_scheduled_total{@}[$__rate_interval]))`, "due"),
		).stacked().below().unit(perSecond).from0().wide(8).none("No probe is due").
			field("due", property{"custom.stacking", object{"mode": "none"}}, property{"custom.fillOpacity", 0}, property{"custom.lineWidth", 1},
				property{"custom.lineStyle", object{"fill": "dash", "dash": []int{8, 6}}}, fieldColour(neutral)),
		timeseries("In flight", "Probes that are running. Always at max_concurrent: raise it, or see which server makes them last.",
			query(`topk(10, imap_exporter_probes_in_flight{@})`, "{{instance}}"),
		).below().counting().wide(8).none("No exporter"),
		timeseries("Start lag", "How long after they were due probes started. It is never part of a measured time. A p99 above 250 ms: the machine, or max_concurrent, is too small.",
			query(quantile("0.5", lagHistogram, "", point), "p50"),
			query(quantile("0.99", lagHistogram, "", point), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No probe in this time"),
	}
}

func truth() []panel {
	return []panel{
		timeseries("Measurement error", "How long answers lay there before the exporter read them. Where the kernel tells their arrival (column Time stamps above: kernel), measured times are free of it; where it doesn't (user), they contain it.",
			query(quantile("0.5", errorHistogram, "", point), "p50"),
			query(quantile("0.99", errorHistogram, "", point), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No probe in this time"),
		timeseries("Waiting for a core", "How long the exporter's goroutines waited until a core was free. High: the machine is too small, or the CPU limit throttles the container.",
			query(quantile("0.5", "go_sched_latencies_seconds", "", point), "p50"),
			query(quantile("0.99", "go_sched_latencies_seconds", "", point), "p99"),
		).below().logarithmic().unit(seconds).wide(8).none("No exporter"),
		timeseries("Probes", "Finished probes each second, and those of them that failed.",
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
		timeseries("Memory", "Resident memory, and the heap in it. Only ever up: a leak, which we want to hear of.",
			query(`topk(10, process_resident_memory_bytes{@})`, "{{instance}}"),
			query(`topk(10, go_memstats_heap_alloc_bytes{@})`, "{{instance}}, heap"),
		).below().unit(octets).from0().wide(6).none("No exporter"),
		timeseries("Goroutines", "Goroutines: some for the program, and one for each probe that runs.",
			query(`topk(10, go_goroutines{@})`, "{{instance}}"),
		).below().counting().wide(6).none("No exporter"),
		timeseries("File descriptors", "Share of the allowed file descriptors in use, sockets among them. Near 100 %: raise LimitNOFILE.",
			query(`topk(10, process_open_fds{@} / process_max_fds{@})`, "{{instance}}"),
		).below().unit(share).decimals(0).between(0, 1).wide(6).none("No exporter"),
	}
}

func scrapes() []panel {
	return []panel{
		timeseries("Scrape duration", "How long Prometheus' scrapes take. Near scrape_timeout: fewer accounts for each exporter, or histograms: native.",
			query(`topk(10, scrape_duration_seconds{@})`, "{{instance}}"),
		).below().unit(seconds).from0().wide(6).none("No scrape"),
		timeseries("Samples a scrape", "Samples of each scrape: what Prometheus has to store. histograms: classic or native in the configuration make it fewer.",
			query(`topk(10, scrape_samples_scraped{@})`, "{{instance}}"),
		).below().unit(count).from0().wide(6).none("No scrape"),
		timeseries("Answers to scrapes", "Answers of /metrics each minute by HTTP status. 503: more than four scrapes at a time. 500: a fault of the exporter, its log has it.",
			query(`60 * sum by (code) (rate(promhttp_metric_handler_requests_total{@}[$__rate_interval])) > 0`, "{{code}}"),
		).below().unit(perMinute).from0().wide(6).none("No scrape"),
		timeseries("Log lines lost", "Lines of the log that were dropped, because nobody read them or the disk was full. Probing goes on; what was logged then is gone.",
			query(`topk(10, increase(imap_exporter_log_lines_dropped_total{@}[$__rate_interval]))`, "{{instance}}"),
		).below().counting().wide(6).none("No exporter"),
	}
}
