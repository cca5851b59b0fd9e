/**
 * The storage engine, written once over a small interface to ordered maps.
 *
 * <p>{@link dev.ashlar.block.engine.StorageEngine} keeps a log, a heap of block bytes and an index
 * that lags behind them; {@link dev.ashlar.block.engine.EngineBlockStore} is the {@link
 * dev.ashlar.block.BlockStore} over it for one process. {@link dev.ashlar.block.engine.Environment}
 * is what a kind of storage implements. Bytes on disk are described in docs/format.md.
 *
 * <p>Architecture invariant: the engine starts no thread and reads no clock. Folding and compaction
 * advance in slices inside the transactions that callers make.
 */
@NullMarked
package dev.ashlar.block.engine;

import org.jspecify.annotations.NullMarked;
