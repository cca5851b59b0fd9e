/**
 * Small replicated records beside the blocks: pins and references, which keep blocks from being
 * collected, and the collection of what they do not reach.
 */
@NullMarked
package dev.ashlar.block.root;

import org.jspecify.annotations.NullMarked;
