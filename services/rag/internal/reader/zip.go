package reader

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
)

const (
	// maxEntries bounds the files in an archive.
	maxEntries = 10_000
	// maxUnpacked bounds what all of them unpack to, in bytes.
	maxUnpacked = 256 << 20
	// maxPart bounds the parts of a DOCX that are read, in bytes each.
	maxPart = 64 << 20
)

// compound is how files of the old Office formats begin, and encrypted ones of the new.
var compound = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

// encryptedPackage is the name of the stream that an encrypted file of the new formats holds, in UTF-16.
var encryptedPackage = []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00")

// openZip opens an archive that promises not to unpack to more than is read; archive/zip holds it to its promise.
func openZip(content []byte) (*zip.Reader, error) {
	if bytes.HasPrefix(content, compound) {
		if bytes.Contains(content, encryptedPackage) {
			return nil, ErrEncrypted
		}
		return nil, fmt.Errorf("%w: it is of an old Office format", ErrUnreadable)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if len(archive.File) > maxEntries {
		return nil, ErrTooLarge
	}
	total := uint64(0)
	for _, file := range archive.File {
		if file.UncompressedSize64 > maxUnpacked {
			return nil, ErrTooLarge
		}
		if total += file.UncompressedSize64; total > maxUnpacked {
			return nil, ErrTooLarge
		}
	}
	return archive, nil
}

// part opens a file of the archive, or returns nil if there is none.
func part(archive *zip.Reader, name string) (io.ReadCloser, error) {
	for _, file := range archive.File {
		if file.Name != name {
			continue
		}
		if file.UncompressedSize64 > maxPart {
			return nil, ErrTooLarge
		}
		r, err := file.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		return r, nil
	}
	return nil, nil //nolint:nilnil // the absence of an optional part is no fault
}
