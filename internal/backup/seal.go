package backup

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
)

// Recipients parses age recipients such as "age1…".
func Recipients(texts []string) (all []age.Recipient, err error) {
	for _, text := range texts {
		some, err := age.ParseRecipients(strings.NewReader(text))
		if err != nil {
			return nil, errors.New("it is not an age recipient: give what age-keygen prints as the public key, which begins with age1")
		}
		all = append(all, some...)
	}
	return all, nil
}

// Identities reads an age identity file as written by age-keygen.
func Identities(path string) (_ []age.Identity, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	all, err := age.ParseIdentities(f)
	if err != nil { // the error of age may quote the line
		return nil, fmt.Errorf("%s is not an age identity file, or is protected by a passphrase: give one that age-keygen wrote, decrypted", path)
	}
	return all, nil
}

// seal encrypts the file at from to a new file.
func seal(from, to string, recipients []age.Recipient) error {
	return copyInto(to, func(w io.Writer) error {
		f, err := os.Open(from)
		if err != nil {
			return err
		}
		sealed, err := age.Encrypt(w, recipients...)
		if err == nil {
			_, err = io.Copy(sealed, f)
			err = errors.Join(err, sealed.Close())
		}
		return errors.Join(err, f.Close())
	})
}

// copyInto creates a file with mode 0600, writes to it, and syncs it.
func copyInto(to string, write func(io.Writer) error) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close())
}
