package bucket

// The stores that KNOBOT_MEDIA_URL may name, each by its scheme: file and s3. What they cost is in
// docs/architecture/dependencies.md.
import (
	_ "gocloud.dev/blob/fileblob" // file://
	_ "gocloud.dev/blob/s3blob"   // s3://, also of servers that speak like it, as Google's does
)
