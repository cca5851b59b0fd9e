package dev.ashlar.block.engine;

import java.util.OptionalLong;

/**
 * A part of the heap, compared with what should refer to it.
 *
 * @param slots how many there are
 * @param bytes the bytes of those whose header is sound
 * @param unreadable how many headers are not what they were
 * @param unreferenced how many neither log nor index needs, as of the snapshot of this page
 * @param next where to go on; empty at the end
 */
public record HeapPage(
    long slots, long bytes, long unreadable, long unreferenced, OptionalLong next) {}
