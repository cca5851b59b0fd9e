package dev.ashlar.block.engine;

import java.nio.ByteBuffer;

/**
 * What a manifest stands for: everything replicated as of a place in the log.
 *
 * @param at the place; every effect up to there is in the manifest, and none after it
 * @param configuration the membership in force there, opaque to the engine, empty where none was
 *     set
 * @param blocks how many rows it has
 * @param bytes the bytes of those blocks
 * @param roots how many root records it has
 * @param rootSetAt the last log index up to there at which a root was set
 */
public record ManifestHead(
    LogPosition at, ByteBuffer configuration, long blocks, long bytes, long roots, long rootSetAt) {

  /** The same, with what is told of the roots apart. */
  public ManifestHead withRoots(long newRoots, long newRootSetAt) {
    return new ManifestHead(at, configuration, blocks, bytes, newRoots, newRootSetAt);
  }
}
