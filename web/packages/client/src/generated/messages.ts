/** Made by tools/write_types.py: change the source that it reads, not this file. */

export interface AppChannels {}

export interface AppCalls {}
