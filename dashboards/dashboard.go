package dashboards

// A Dashboard is one of the dashboards, as its file describes it.
type Dashboard struct {
	// UID is its name in URLs, and with .json the name of its file. It never changes: alerts and bookmarks have it.
	UID string
	// Title is what people see; the part before the slash is the same for all.
	Title string
	// Help is what the dashboard answers.
	Help string
	// selector is what {@} in its queries stands for, without the braces.
	selector  string
	variables []variable
	// from is where its time range begins when it is opened; it ends now.
	from string
	rows []row
}

// All returns the dashboards, in the order in which one goes through them.
func All() []Dashboard {
	return []Dashboard{overview(), account(), server(), exporter()}
}

// The uids, which the links need.
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

// The selectors. The labels job and instance tell one exporter from another.
const (
	ofExporter = `job=~"$job", instance=~"$instance"`
	ofServers  = ofExporter + `, server=~"$server"`
	ofAccount  = ofServers + `, account=~"$account"`
)

// A variable is one of the choices at the top of a dashboard.
type variable struct {
	name, label, help string
	// query gives the choices. Without it, the variable is a text to type, or, with choices, one of those.
	query   string
	choices []string
	// value is what it is at first.
	value string
	// all offers all choices at once, and several of them.
	all bool
}

// exporters are the two variables that every dashboard has. A metric that is there from the start gives the choices.
func exporters() []variable {
	return []variable{
		{name: "job", label: "Job", help: "The scrape job of the exporters.", query: `label_values(imap_exporter_build_info, job)`, all: true},
		{
			name: "instance", label: "Exporter", help: "The exporters, as Prometheus names them.",
			query: `label_values(imap_exporter_build_info{job=~"$job"}, instance)`, all: true,
		},
	}
}
