/**
 * Content addressing and the block store: what an embedder compiles against.
 *
 * <p>Start with {@link dev.ashlar.block.BlockStore}, {@link dev.ashlar.block.Block} and {@link
 * dev.ashlar.block.Cid}. Nothing here does I/O, starts a thread, reads a clock or logs.
 */
@NullMarked
package dev.ashlar.block;

import org.jspecify.annotations.NullMarked;
