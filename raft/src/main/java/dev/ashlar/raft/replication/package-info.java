/**
 * What the log says about blocks: commands and their binary form, a replica's disk, and a {@link
 * dev.ashlar.block.BlockStore} whose every write goes through the log.
 *
 * <p>Architecture invariant: no Vert.x, no thread, no clock, no random number here.
 */
@NullMarked
package dev.ashlar.raft.replication;

import org.jspecify.annotations.NullMarked;
