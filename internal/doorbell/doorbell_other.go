//go:build !unix

package doorbell

func listen(string, string) (*Bell, error) { return nil, ErrUnsupported }

func ring(string, string) {}
