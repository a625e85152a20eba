package redis_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"

	. "github.com/bsm/ginkgo/v2"
	"github.com/bsm/ginkgo/v2/types"
)

// One JSON line per event, written at once, so that a run which is killed keeps its results. A specification that a run
// before this one has come to is skipped, without a line.

type testEvent struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Error  string `json:"error,omitempty"`
}

// Addresses in a message would make every failure another cause.
var pointer = regexp.MustCompile(` \| 0x[0-9a-f]+`)

var testProgress = openTestProgress()
var finishedTests = readFinishedTests()

func openTestProgress() *os.File {
	file, err := os.OpenFile(os.Getenv("RESPITE_TEST_PROGRESS"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	return file
}

func readFinishedTests() map[string]bool {
	text, err := os.ReadFile(os.Getenv("RESPITE_TESTS_FINISHED"))
	if err != nil {
		panic(err)
	}
	var names []string
	if err := json.Unmarshal(text, &names); err != nil {
		panic(err)
	}
	finished := make(map[string]bool)
	for _, name := range names {
		finished[name] = true
	}
	return finished
}

func writeTestEvent(name, status, message string) {
	line, err := json.Marshal(testEvent{name, status, message})
	if err != nil {
		panic(err)
	}
	if _, err := testProgress.Write(append(line, '\n')); err != nil {
		panic(err)
	}
}

var _ = BeforeEach(func() {
	if finishedTests[CurrentSpecReport().FullText()] {
		Skip("it has been run before")
	}
})

var _ = ReportBeforeEach(func(report SpecReport) {
	if !finishedTests[report.FullText()] {
		writeTestEvent(report.FullText(), "started", "")
	}
})

var _ = ReportAfterEach(func(report SpecReport) {
	name := report.FullText()
	if finishedTests[name] {
		return
	}
	switch {
	case report.State == types.SpecStatePassed:
		writeTestEvent(name, "passed", "")
	case report.State.Is(types.SpecStateSkipped | types.SpecStatePending):
		writeTestEvent(name, "skipped", "")
	default:
		message := pointer.ReplaceAllString(report.FailureMessage(), "")
		writeTestEvent(name, "failed", strings.Join(strings.Fields(message), " "))
	}
	writeTestEvent(name, "ended", "")
})
