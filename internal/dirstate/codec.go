package dirstate

import (
	"encoding/binary"
	"errors"
)

// The encoding is a message between two processes of the same program, so it has
// no version.

const (
	flagMarked = 1 << iota
	flagLinked
)

// MarshalBinary encodes the folders.
func (s *Seen) MarshalBinary() ([]byte, error) {
	if s.Len() == 0 {
		return nil, nil
	}
	data := make([]byte, 0, 64*len(s.folders))
	for _, f := range s.folders {
		var flags byte
		if f.Marked {
			flags |= flagMarked
		}
		if f.Linked {
			flags |= flagLinked
		}
		data = append(data, flags)
		data = binary.AppendUvarint(data, f.Stamp.Device)
		data = binary.AppendUvarint(data, f.Stamp.Inode)
		data = binary.AppendVarint(data, f.Stamp.Modified)
		data = binary.AppendVarint(data, f.Stamp.Changed)
		data = binary.AppendVarint(data, f.Blocks)
		data = binary.AppendUvarint(data, uint64(len(f.Folders)))
		for _, name := range f.Folders {
			data = binary.AppendUvarint(data, uint64(len(name)))
			data = append(data, name...)
		}
	}
	return data, nil
}

var errDamaged = errors.New("dirstate: what was found in the folders is damaged")

// UnmarshalBinary decodes the result of MarshalBinary.
func (s *Seen) UnmarshalBinary(data []byte) error {
	*s = Seen{}
	d := decoder{text: string(data)}
	for len(d.text) > 0 && !d.bad {
		s.Add(d.folder())
	}
	if d.bad {
		*s = Seen{}
		return errDamaged
	}
	return nil
}

// decoder reads from a string, so that names can share its memory.
type decoder struct {
	text string
	bad  bool
}

func (d *decoder) folder() Folder {
	flags := d.text[0]
	d.text = d.text[1:]
	f := Folder{
		Marked: flags&flagMarked != 0, Linked: flags&flagLinked != 0,
		Stamp:  Stamp{Device: d.unsigned(), Inode: d.unsigned(), Modified: d.signed(), Changed: d.signed()},
		Blocks: d.signed(),
	}
	n := d.unsigned()
	if d.bad = d.bad || n > uint64(len(d.text)); d.bad || n == 0 {
		return f
	}
	f.Folders = make([]string, n)
	for i := range f.Folders {
		f.Folders[i] = d.name()
	}
	return f
}

func (d *decoder) name() string {
	n := d.unsigned()
	if d.bad = d.bad || n == 0 || n > uint64(len(d.text)); d.bad {
		return ""
	}
	name := d.text[:n]
	d.text = d.text[n:]
	return name
}

func (d *decoder) unsigned() (value uint64) {
	for i := 0; i < len(d.text) && i < binary.MaxVarintLen64; i++ {
		b := d.text[i]
		value |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			d.text = d.text[i+1:]
			return value
		}
	}
	d.bad = true
	return 0
}

// signed reads a number whose lowest bit is its sign.
func (d *decoder) signed() int64 {
	u := d.unsigned()
	value := int64(u >> 1) // #nosec G115 -- it has 63 bits
	if u&1 != 0 {
		return ^value
	}
	return value
}
