namespace wormhole {}
