//go:build !unix

package doorbell

func listen(string, string) (<-chan struct{}, func() error, error) {
	return nil, nil, ErrUnsupported
}

func ring(string, string) {}
