package dashboards

// columns is the width of Grafana's grid.
const columns = 24

// headingHeight is the height of a row's heading.
const headingHeight = 1

// A row is a heading and the panels below it, all of one height. The first row of a dashboard may have no heading.
type row struct {
	title  string
	height int
	// collapsed hides its panels until somebody opens it. Their queries run only then.
	collapsed bool
	panels    []panel
}

// A gridPos is the position and size of a panel in Grafana's grid.
type gridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// layout positions the panels of a row from left to right, beginning at line y, and returns the line after them.
func (r row) layout(y int) (heading gridPos, panels []gridPos, next int) {
	if r.title != "" {
		heading = gridPos{X: 0, Y: y, W: columns, H: headingHeight}
		y += headingHeight
	}
	x := 0
	for _, p := range r.panels {
		if x+p.width > columns {
			x, y = 0, y+r.height
		}
		panels = append(panels, gridPos{X: x, Y: y, W: p.width, H: r.height})
		x += p.width
	}
	return heading, panels, y + r.height
}
