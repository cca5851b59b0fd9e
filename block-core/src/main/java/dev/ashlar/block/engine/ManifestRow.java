package dev.ashlar.block.engine;

import dev.ashlar.block.Multihash;

/**
 * A live block as a manifest names it: what every replica agrees on, nothing that is local to one.
 *
 * @param multihash names the bytes
 * @param length how many bytes
 * @param codec the codec of the first put
 * @param lastPut the log index of the last put or touch
 */
public record ManifestRow(Multihash multihash, int length, long codec, long lastPut) {}
