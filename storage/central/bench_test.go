package central_test

import (
	"fmt"
	"sync"
	"testing"

	"flawmark/app/qc"
	"flawmark/storage/central"
	"flawmark/storage/storagetest"
)

// BenchmarkApplyEvents measures findings with all their effects, a batch of
// one each, durable before the next; flags open cases.
func BenchmarkApplyEvents(b *testing.B) {
	for _, verdict := range []qc.Verdict{qc.Pass, qc.Flag} {
		b.Run(string(verdict), func(b *testing.B) {
			w := newWorld(b, openSQLite)
			order := sampleOrder()
			order.ID, order.Items = "bench", order.Items[:1]
			batches := make([]qc.Batch, b.N)
			for i := range batches {
				item := order.Items[0]
				item.ID, item.Order = qc.ItemID(fmt.Sprint("bench-", i)), "bench"
				order.Items = append(order.Items, item)
				f := w.bench.flag(qc.FindingID(fmt.Sprint("f", i)), item.ID)
				if verdict == qc.Pass {
					f = w.bench.pass(f.ID, item.ID)
				}
				f.Order = "bench"
				batches[i] = w.bench.seal(qc.FindingRecorded, "u12", f)
			}
			order.Items = order.Items[1:]
			_, err := w.ImportOrders(b.Context(), []qc.Order{order}, noon)
			w.must(err)
			b.ResetTimer()
			for _, batch := range batches {
				ack, err := w.ApplyEvents(b.Context(), w.bench.id, batch, noon)
				w.must(err)
				if ack.Receipts[0].Status != qc.Applied {
					b.Fatalf("%+v", ack.Receipts[0])
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "findings/s")
		})
	}
}

// BenchmarkSeveral has one, and then three, centres take findings at once.
func BenchmarkSeveral(b *testing.B) {
	server := storagetest.StartPostgres(b)
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			address := server.Database(b)
			var worlds []world
			for i := range n {
				c := config(b, b.TempDir())
				c.URL = address
				store, err := central.Open(b.Context(), c)
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(func() { _ = store.Close() })
				w := world{Store: store, t: b}
				if i == 0 {
					w = newWorld(b, func(testing.TB) *central.Store { return store })
				}
				worlds = append(worlds, w)
			}
			order := sampleOrder()
			order.ID, order.Items = "bench", nil
			for i := range b.N {
				item := sampleOrder().Items[0]
				item.ID, item.Order = qc.ItemID(fmt.Sprint("bench-", i)), "bench"
				order.Items = append(order.Items, item)
			}
			_, err := worlds[0].ImportOrders(b.Context(), []qc.Order{order}, noon)
			worlds[0].must(err)
			var group sync.WaitGroup
			b.ResetTimer()
			for i := range 6 {
				w := worlds[i%n]
				bench := w.enrol(fmt.Sprint("bench ", i))
				group.Go(func() {
					for j := i; j < b.N; j += 6 {
						f := bench.pass(qc.FindingID(fmt.Sprint("f", j)), order.Items[j].ID)
						f.Order = "bench"
						bench.applied(noon, qc.FindingRecorded, "u12", f)
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "findings/s")
		})
	}
}
