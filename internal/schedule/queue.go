package schedule

import "container/heap"

// A queue is a heap whose items store their own index, so that any of them can be removed.
type queue[T any] struct {
	items []T
	less  func(a, b T) bool
	// index returns where an item stores its index in this queue plus 1; 0 means that it isn't in the queue.
	index func(T) *int
}

// first returns the least item. The queue must not be empty.
func (q *queue[T]) first() T { return q.items[0] }

// put adds an item, or moves one whose order has changed.
func (q *queue[T]) put(x T) {
	if i := *q.index(x); i > 0 {
		heap.Fix(q, i-1)
		return
	}
	heap.Push(q, x)
}

// remove removes an item, if it is in the queue.
func (q *queue[T]) remove(x T) {
	if i := *q.index(x); i > 0 {
		heap.Remove(q, i-1)
	}
}

// Len, Less, Swap, Push and Pop implement heap.Interface.

func (q *queue[T]) Len() int           { return len(q.items) }
func (q *queue[T]) Less(i, k int) bool { return q.less(q.items[i], q.items[k]) }

func (q *queue[T]) Swap(i, k int) {
	q.items[i], q.items[k] = q.items[k], q.items[i]
	*q.index(q.items[i]), *q.index(q.items[k]) = i+1, k+1
}

func (q *queue[T]) Push(x any) {
	item := x.(T)
	q.items = append(q.items, item)
	*q.index(item) = len(q.items)
}

func (q *queue[T]) Pop() any {
	var zero T
	last := len(q.items) - 1
	item := q.items[last]
	q.items[last] = zero
	q.items = q.items[:last]
	*q.index(item) = 0
	return item
}
