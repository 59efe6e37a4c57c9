"""Parts of the PlatformIO hook that do not need SCons."""
