"""Everything that measures: data sets, clips, training, embedding, ranking, metrics, cost, records."""
