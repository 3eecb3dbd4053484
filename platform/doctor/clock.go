package doctor

import "time"

// maxSkew is more than any network takes, and less than what customers notice.
const maxSkew = 30 * time.Second

// Clock compares this machine's clock with somebody else's, which is ahead of it by skew.
func Clock(check, whose string, skew time.Duration) Finding {
	skew = skew.Round(time.Second)
	if skew.Abs() <= maxSkew {
		return Fine(check, "this machine's clock agrees with %s", whose)
	}
	direction := "ahead of"
	if skew > 0 {
		direction = "behind"
	}
	return Fail(check, "this machine's clock is %s %s %s", skew.Abs(), direction, whose).
		With("let a time service such as chrony or systemd-timesyncd set the clocks: the 24-hour window and the age of messages are counted by them")
}
