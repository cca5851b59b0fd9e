/**
 * The storage engine in memory: {@link dev.ashlar.store.memory.MemoryBlockStore} for embedding and
 * tests, {@link dev.ashlar.store.memory.MemoryEnvironment} for whoever builds on the engine itself.
 */
@NullMarked
package dev.ashlar.store.memory;

import org.jspecify.annotations.NullMarked;
