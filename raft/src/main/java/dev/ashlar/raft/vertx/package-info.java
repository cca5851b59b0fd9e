/**
 * A member of a cluster in production: its clock, TCP and storage threads around {@link
 * dev.ashlar.raft.driver.RaftDriver}. The thread hops of a replica are all here.
 *
 * <p>Start with {@link dev.ashlar.raft.vertx.RaftNode}.
 */
@NullMarked
package dev.ashlar.raft.vertx;

import org.jspecify.annotations.NullMarked;
