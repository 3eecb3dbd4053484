// Package bucket keeps the bytes of files in a store that a URL names: a folder, or S3 and what speaks like it. It knows keys and
// bytes only; what a file is stands in the database.
package bucket

import (
	"context"
	"errors"
	"io"
	"net/url"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/knobot/knobot/platform/fault"
	"github.com/knobot/knobot/services/channels"
)

// bufferBytes is what a write to S3 holds in memory: 5 MiB is the least that S3 takes as a part.
const bufferBytes = 5 << 20

// Bucket is a store of files.
type Bucket struct{ blobs *blob.Bucket }

// Open opens the store that a URL names, and makes a folder that is not there yet.
func Open(ctx context.Context, address string) (*Bucket, error) {
	location, err := complete(address)
	if err != nil {
		return nil, err
	}
	blobs, err := blob.OpenBucket(ctx, location)
	if err != nil {
		return nil, err
	}
	return &Bucket{blobs: blobs}, nil
}

// Check returns an error that says which URLs there are if address is none of them.
func Check(address string) error {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "file" && u.Path != "" || u.Scheme == "s3" && u.Host != "") {
		return nil
	}
	return errors.New("a URL such as file:///var/lib/knobot/media or s3://bucket?region=eu-west-1 is needed")
}

// complete gives a folder's URL what every folder of ours needs: it is made if it is missing, closed to other users, its files
// are written beside their place (a rename from another disk fails), and nothing lies in it but them.
func complete(address string) (string, error) {
	if err := Check(address); err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "file" {
		return address, err
	}
	query := u.Query()
	for name, value := range map[string]string{"create_dir": "true", "no_tmp_dir": "true", "dir_file_mode": "0700", "metadata": "skip"} {
		if !query.Has(name) {
			query.Set(name, value)
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Close ends the connections of the store.
func (b *Bucket) Close() { _ = b.blobs.Close() }

// Write puts what r gives under a key, all of it or nothing. An error of r is returned as it is; the store's own is a fault
// of kind Unavailable.
func (b *Bucket) Write(ctx context.Context, key string, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before a Close this undoes the write
	w, err := b.blobs.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: "application/octet-stream", DisableContentTypeDetection: true, BufferSize: bufferBytes, MaxConcurrency: 1,
	})
	if err != nil {
		return unavailable(err)
	}
	source := &remembering{Reader: r}
	if _, err := io.Copy(w, source); err != nil {
		cancel()
		_ = w.Close()
		if source.err != nil {
			return source.err
		}
		return unavailable(err)
	}
	if err := w.Close(); err != nil {
		return unavailable(err)
	}
	return nil
}

// remembering tells an error of the source from one of the store.
type remembering struct {
	io.Reader
	err error
}

// Read reads.
func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// Read opens what is under a key and returns its size. Returns channels.ErrNotFound if there is nothing, else a fault of kind
// Unavailable.
func (b *Bucket) Read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, err := b.blobs.NewReader(ctx, key, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, 0, channels.ErrNotFound
	}
	if err != nil {
		return nil, 0, unavailable(err)
	}
	return r, r.Size(), nil
}

// Has reports whether something of a size is under a key.
func (b *Bucket) Has(ctx context.Context, key string, size int64) (bool, error) {
	a, err := b.blobs.Attributes(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return a.Size == size, nil
}

// Delete removes what is under a key; nothing there is no error.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.blobs.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return unavailable(err)
	}
	return nil
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "MEDIA_STORE_UNAVAILABLE", "the store of media files failed, try again").WithCause(err)
}
