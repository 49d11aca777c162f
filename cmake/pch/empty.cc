// Gives each precompiled-header target a source file to compile.
