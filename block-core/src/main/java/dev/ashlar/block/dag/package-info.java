/** Blocks that link to blocks: paths through them, and walks over them. */
@org.jspecify.annotations.NullMarked
package dev.ashlar.block.dag;
