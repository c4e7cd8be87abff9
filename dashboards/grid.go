package dashboards

// columns is how wide Grafana's grid is.
const columns = 24

// headingHeight is how high the heading of a row is.
const headingHeight = 1

// A row is a heading and the panels below it, all of one height. The first row of a dashboard may do without a heading.
type row struct {
	title  string
	height int
	// collapsed hides its panels until somebody opens it. Their queries run only then.
	collapsed bool
	panels    []panel
}

// A place is where a panel is in Grafana's grid.
type place struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// layout places the panels of a row from the line y on, from left to right, and returns the line after them.
func (r row) layout(y int) (heading place, panels []place, next int) {
	if r.title != "" {
		heading = place{X: 0, Y: y, W: columns, H: headingHeight}
		y += headingHeight
	}
	x := 0
	for _, p := range r.panels {
		if x+p.width > columns {
			x, y = 0, y+r.height
		}
		panels = append(panels, place{X: x, Y: y, W: p.width, H: r.height})
		x += p.width
	}
	return heading, panels, y + r.height
}
