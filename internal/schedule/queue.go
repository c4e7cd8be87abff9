package schedule

import "container/heap"

// A queue is a heap of things that know their place in it, so that any of them can leave it.
type queue[T any] struct {
	items  []T
	before func(a, b T) bool
	// place is where an item keeps its index in this queue plus 1; 0 means that it isn't in it.
	place func(T) *int
}

// first returns the item that comes before all others. The queue must not be empty.
func (q *queue[T]) first() T { return q.items[0] }

// put adds an item, or moves it to its new place when what decides that has changed.
func (q *queue[T]) put(x T) {
	if at := *q.place(x); at > 0 {
		heap.Fix(q, at-1)
		return
	}
	heap.Push(q, x)
}

// remove takes an item out, if it is in.
func (q *queue[T]) remove(x T) {
	if at := *q.place(x); at > 0 {
		heap.Remove(q, at-1)
	}
}

// Len, Less, Swap, Push and Pop are for package heap alone.

func (q *queue[T]) Len() int           { return len(q.items) }
func (q *queue[T]) Less(i, k int) bool { return q.before(q.items[i], q.items[k]) }

func (q *queue[T]) Swap(i, k int) {
	q.items[i], q.items[k] = q.items[k], q.items[i]
	*q.place(q.items[i]), *q.place(q.items[k]) = i+1, k+1
}

func (q *queue[T]) Push(x any) {
	item := x.(T)
	q.items = append(q.items, item)
	*q.place(item) = len(q.items)
}

func (q *queue[T]) Pop() any {
	var none T
	last := len(q.items) - 1
	item := q.items[last]
	q.items[last] = none
	q.items = q.items[:last]
	*q.place(item) = 0
	return item
}
