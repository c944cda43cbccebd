package storefile

import "io"

// NetworkFilesystems is networkFilesystems.
var NetworkFilesystems = networkFilesystems

// Looks checks a sequence of indexes and reports for each whether it went back.
func Looks(log io.ReaderAt, indexes ...io.ReaderAt) (back []bool) {
	var p past
	for _, index := range indexes {
		back = append(back, p.wentBack(index, log))
	}
	return back
}
