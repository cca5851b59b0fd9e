/** Files and directories as dag-pb blocks (UnixFS specification). */
@org.jspecify.annotations.NullMarked
package dev.ashlar.block.unixfs;
