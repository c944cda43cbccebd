package storecopy

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
)

// sum is the number of rows of a table and a digest of them that does not depend on
// their order, because the two kinds of stores sort texts differently. It detects
// errors in copying. Deliberate changes are detected by the audit log.
type sum struct {
	rows   int64
	digest [4]uint64
}

// add adds a row.
func (s *sum) add(row []any) error {
	buf := make([]byte, 0, 512)
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			buf = append(buf, 'n')
		case int64:
			buf = binary.BigEndian.AppendUint64(append(buf, 'i'), uint64(v))
		case float64:
			buf = binary.BigEndian.AppendUint64(append(buf, 'f'), math.Float64bits(v))
		case string:
			buf = binary.BigEndian.AppendUint64(append(buf, 't'), uint64(len(v)))
			buf = append(buf, v...)
		case []byte:
			buf = binary.BigEndian.AppendUint64(append(buf, 'b'), uint64(len(v)))
			buf = append(buf, v...)
		default:
			return fmt.Errorf("a column holds a %T", value)
		}
	}
	s.rows++
	hashed := sha256.Sum256(buf)
	for i := range s.digest {
		s.digest[i] += binary.BigEndian.Uint64(hashed[8*i:])
	}
	return nil
}

// sums are the sums of all tables, in the order of tables.
type sums []sum

// String returns one digest of all tables.
func (s sums) String() string {
	whole := sha256.New()
	for i, one := range s {
		_, _ = fmt.Fprintf(whole, "%s %d %x\n", tables[i].name, one.rows, one.digest)
	}
	return hex.EncodeToString(whole.Sum(nil))
}
