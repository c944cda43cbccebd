package storefile

import "io"

// NetworkFilesystems is networkFilesystems.
var NetworkFilesystems = networkFilesystems

// Looks tells of indexes that are looked at one behind the other whether each went back.
func Looks(log io.ReaderAt, indexes ...io.ReaderAt) (back []bool) {
	var p past
	for _, index := range indexes {
		back = append(back, p.wentBack(index, log))
	}
	return back
}
