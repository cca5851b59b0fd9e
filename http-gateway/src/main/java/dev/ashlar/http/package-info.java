/**
 * HTTP over any {@link dev.ashlar.block.BlockStore}: Ashlar's own interface, the Trustless Gateway
 * and a part of Kubo's RPC. Begin with {@link dev.ashlar.http.Gateway}.
 *
 * <p>Hashing and storage run on worker threads; an event loop never waits. Architecture invariant:
 * nothing here knows how a store is replicated.
 */
@NullMarked
package dev.ashlar.http;

import org.jspecify.annotations.NullMarked;
