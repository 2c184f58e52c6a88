// Package journey holds tests only: the two programs together, as people use
// them. The station runs in a real window on a virtual screen and is worked
// with real key presses and mouse movements; the pages are opened in a real
// browser; the network goes away and processes are killed.
//
// The programs are built from the source unless -station and -central name
// them. With -out, a PNG of every screen and page is left in that folder.
package journey
