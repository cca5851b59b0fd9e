/**
 * What clients of a block store saw, and whether one store that does one thing at a time explains
 * it. For those who test a {@link dev.ashlar.block.BlockStore}, or a cluster of them.
 */
@NullMarked
package dev.ashlar.block.history;

import org.jspecify.annotations.NullMarked;
