package iiif

// Info is what info.json says of an image.
type Info struct {
	Context          string   `json:"@context"`
	ID               string   `json:"id"`
	Type             string   `json:"type"`
	Protocol         string   `json:"protocol"`
	Profile          string   `json:"profile"`
	Width            int      `json:"width"`
	Height           int      `json:"height"`
	MaxWidth         int      `json:"maxWidth"`
	MaxHeight        int      `json:"maxHeight"`
	MaxArea          int      `json:"maxArea"`
	Sizes            []Size   `json:"sizes"`
	Tiles            []Tiles  `json:"tiles"`
	PreferredFormats []string `json:"preferredFormats"`
	ExtraQualities   []string `json:"extraQualities"`
	ExtraFeatures    []string `json:"extraFeatures"`
}

// Size is a size of the whole image.
type Size struct {
	Width  int `json:"width"`
	Height int `json:"height"`
}

// Tiles says which tiles are at hand.
type Tiles struct {
	Width        int   `json:"width"`
	ScaleFactors []int `json:"scaleFactors"`
}

// The specification's own names.
const (
	Context = "http://iiif.io/api/image/3/context.json"
	Profile = "http://iiif.io/api/image/3/level2.json"
)

// Describe returns the info of a w×h image at an address, with tiles of a side
// in that many levels, each half as large as the one before.
func Describe(id string, w, h, side, levels int, lim Limits) Info {
	info := Info{
		Context: Context, ID: id, Type: "ImageService3", Protocol: "http://iiif.io/api/image", Profile: "level2",
		Width: w, Height: h, MaxWidth: lim.Width, MaxHeight: lim.Height, MaxArea: lim.Area,
		Sizes: []Size{}, Tiles: []Tiles{{Width: side}}, PreferredFormats: []string{"jpg"},
		ExtraQualities: []string{"color", "gray"}, // to be said at level 2, too
		ExtraFeatures:  []string{"canonicalLinkHeader", "mirroring", "profileLinkHeader"},
	}
	for level := range levels {
		info.Tiles[0].ScaleFactors = append(info.Tiles[0].ScaleFactors, 1<<level)
	}
	for level := levels - 1; level >= 0; level-- {
		half := 1 << level
		s := Size{(w + half - 1) / half, (h + half - 1) / half}
		if s.Width <= lim.Width && s.Height <= lim.Height && s.Width*s.Height <= lim.Area {
			info.Sizes = append(info.Sizes, s)
		}
	}
	return info
}
