// Reads histories of one coupon each (a JSON array of operations a line) and says of each whether
// porcupine finds an order in which every answer is right: a line "true" or "false".
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/anishathalye/porcupine"
)

// What was asked or changed, and what came of it. Times are whole numbers, each of one call or return.
type operation struct {
	Kind     string // accepted, sold_out, paused, not_now, unknown, begins, ends
	User     string
	ID       string
	Total    *int
	State    string
	Called   int64
	Returned int64
}

// A coupon that does one thing at a time.
type coupon struct {
	totals  []int
	states  []string
	holders map[string]string // the id of a user; empty until it is told
	owners  map[string]string // whose an id is
	mayHold map[string]bool
}

func (c coupon) isFree(user string) bool {
	_, holds := c.holders[user]
	return !holds && slices.Contains(c.states, "open") && len(c.holders) < slices.Max(c.totals)
}

func with[V any](values map[string]V, key string, value V) map[string]V {
	next := maps.Clone(values)
	next[key] = value
	return next
}

func (c coupon) step(o operation) []coupon {
	if owner, known := c.owners[o.ID]; o.ID != "" && known && owner != o.User {
		return nil
	}
	if o.ID != "" {
		c.owners = with(c.owners, o.ID, o.User)
	}
	id, holds := c.holders[o.User]
	switch o.Kind {
	case "unknown":
		c.mayHold = with(c.mayHold, o.User, true)
		if c.isFree(o.User) {
			given := c
			given.holders = with(c.holders, o.User, "")
			return []coupon{c, given}
		}
		return []coupon{c}
	case "accepted":
		if holds && id != "" && id != o.ID || !holds && !c.isFree(o.User) {
			return nil
		}
		c.holders = with(c.holders, o.User, o.ID)
		return []coupon{c}
	case "sold_out":
		taken := len(c.holders)
		for user := range c.mayHold {
			if _, isHolder := c.holders[user]; !isHolder && user != o.User {
				taken++
			}
		}
		if holds || !slices.Contains(c.states, "open") || taken < slices.Min(c.totals) {
			return nil
		}
		return []coupon{c}
	case "paused":
		if holds || !slices.Contains(c.states, "paused") {
			return nil
		}
		return []coupon{c}
	case "not_now":
		if holds {
			return nil
		}
		return []coupon{c}
	}
	return c.change(o)
}

func (c coupon) change(o operation) []coupon {
	if o.Kind == "begins" {
		if o.Total != nil {
			c.totals = append(slices.Clone(c.totals), *o.Total)
		}
		if o.State != "" {
			c.states = append(slices.Clone(c.states), o.State)
		}
		return []coupon{c}
	}
	if o.Total != nil {
		c.totals = []int{*o.Total}
	}
	if o.State != "" {
		c.states = []string{o.State}
	}
	if len(c.holders) > slices.Max(c.totals) {
		return nil
	}
	return []coupon{c}
}

func (c coupon) equals(other coupon) bool {
	return slices.Equal(c.totals, other.totals) && slices.Equal(c.states, other.states) &&
		maps.Equal(c.holders, other.holders) && maps.Equal(c.owners, other.owners) &&
		maps.Equal(c.mayHold, other.mayHold)
}

var model = porcupine.NondeterministicModel{
	Init: func() []interface{} {
		return []interface{}{coupon{
			holders: map[string]string{},
			owners:  map[string]string{},
			mayHold: map[string]bool{},
		}}
	},
	Step: func(state, input, output interface{}) []interface{} {
		var next []interface{}
		for _, after := range state.(coupon).step(input.(operation)) {
			next = append(next, after)
		}
		return next
	},
	Equal: func(a, b interface{}) bool {
		return a.(coupon).equals(b.(coupon))
	},
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		var operations []operation
		if err := json.Unmarshal(lines.Bytes(), &operations); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		history := make([]porcupine.Operation, len(operations))
		for i, o := range operations {
			history[i] = porcupine.Operation{ClientId: i, Input: o, Call: o.Called, Return: o.Returned}
		}
		fmt.Fprintln(out, porcupine.CheckOperations(model.ToModel(), history))
	}
}
