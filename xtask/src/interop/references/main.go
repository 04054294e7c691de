// Asks the reference parser of Go programs: a JSON string a line comes in, an answer a line goes out.
package main

import (
	"bufio"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/json"
	"log"
	"os"

	"github.com/distribution/reference"
)

// What a text is; null where it is refused.
type answer struct {
	Normalized *parts  `json:"normalized"`
	Docker     *string `json:"docker"`
	Any        *string `json:"any"`
}

type parts struct {
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest"`
	Canonical  string `json:"canonical"`
	Familiar   string `json:"familiar"`
}

func ask(text string) (answer answer) {
	if named, err := reference.ParseNormalizedNamed(text); err == nil {
		answer.Normalized = &parts{
			Registry:   reference.Domain(named),
			Repository: reference.Path(named),
			Canonical:  named.String(),
			Familiar:   reference.FamiliarString(named),
		}
		if tagged, ok := named.(reference.Tagged); ok {
			answer.Normalized.Tag = tagged.Tag()
		}
		if digested, ok := named.(reference.Digested); ok {
			answer.Normalized.Digest = digested.Digest().String()
		}
	}
	if named, err := reference.ParseDockerRef(text); err == nil {
		canonical := named.String()
		answer.Docker = &canonical
	}
	if any, err := reference.ParseAnyReference(text); err == nil {
		canonical := any.String()
		answer.Any = &canonical
	}
	return answer
}

func main() {
	lines, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(ask(text)); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
