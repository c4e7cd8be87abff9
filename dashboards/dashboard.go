package dashboards

// A Dashboard is one of the dashboards, as its file describes it.
type Dashboard struct {
	// UID is its name in URLs. It never changes: alerts and bookmarks contain it.
	UID string
	// Title is what people see; the part before the slash is the same for all.
	Title string
	// Help says what the dashboard shows.
	Help string
	// selector replaces {@} in queries, without the braces.
	selector  string
	variables []variable
	// from is the beginning of the initial time range, which ends now.
	from string
	rows []row
}

// All returns the dashboards, from the general to the specific.
func All() []Dashboard {
	return []Dashboard{overview(), account(), server(), exporter()}
}

// The UIDs, for links.
const (
	overviewUID = "imap-overview"
	accountUID  = "imap-account"
	serverUID   = "imap-server"
	exporterUID = "imap-exporter"
)

// File returns the name of its file.
func (d Dashboard) File() string {
	return d.UID[len("imap-"):] + ".json"
}

// The selectors. The labels job and instance identify an exporter.
const (
	ofExporter = `job=~"$job", instance=~"$instance"`
	ofServers  = ofExporter + `, server=~"$server"`
	ofAccount  = ofServers + `, account=~"$account"`
)

// A variable is one of the choices at the top of a dashboard.
type variable struct {
	name, label, help string
	// query returns the choices. Without it, the variable is one of choices, or a text field if there are none.
	query   string
	choices []string
	// value is the initial value.
	value string
	// all permits several choices, and all of them.
	all bool
}

// exporterVariables returns the two variables that every dashboard has. Their choices come from a metric that always exists.
func exporterVariables() []variable {
	return []variable{
		{name: "job", label: "Job", help: "The scrape job of the exporters.", query: `label_values(imap_exporter_build_info, job)`, all: true},
		{
			name: "instance", label: "Exporter", help: "The exporters, as Prometheus names them.",
			query: `label_values(imap_exporter_build_info{job=~"$job"}, instance)`, all: true,
		},
	}
}
