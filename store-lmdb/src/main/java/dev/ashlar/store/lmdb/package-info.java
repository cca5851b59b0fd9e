/**
 * The storage engine on LMDB: {@link dev.ashlar.store.lmdb.LmdbBlockStore} is one directory, one
 * environment, no server, and needs no JVM flag.
 */
@NullMarked
package dev.ashlar.store.lmdb;

import org.jspecify.annotations.NullMarked;
