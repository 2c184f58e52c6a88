package central_test

import (
	"fmt"
	"testing"

	"flawmark/app/qc"
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
