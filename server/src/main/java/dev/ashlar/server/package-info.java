/** The server and the command line: options, wiring and {@code main}. Begin with {@link Main}. */
@NullMarked
package dev.ashlar.server;

import org.jspecify.annotations.NullMarked;
