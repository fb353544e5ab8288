// One end of a MAVLink 2 link: end.mjs drone|station [SYSTEM_ID]
// Listens on 127.0.0.1:14550, sends to 127.1.0.1:14550. Commands on standard input, one a line:
//   go      start sending: heartbeats, and from the drone its attitude
//   params  the station asks for the drone's parameters
//   quiet   stop sending
//   report  print what was sent and received as one line of JSON
import dgram from 'node:dgram'
import readline from 'node:readline'
import { PassThrough } from 'node:stream'
import { MavLinkPacketParser, MavLinkPacketSplitter, MavLinkProtocolV2, common, minimal } from 'node-mavlink'

const PORT = 14550
const PARAMETERS = 400
const ATTITUDE_HZ = 50
const role = process.argv[2]
const registry = { ...minimal.REGISTRY, ...common.REGISTRY }
const protocol = new MavLinkProtocolV2(Number(process.argv[3] ?? (role === 'drone' ? 1 : 255)), 1)
const socket = dgram.createSocket('udp4')
const seen = { sent: 0, received: 0, gaps: 0, altered: 0, heartbeats: 0, parameters: 0 }
let sequence = 0
const expected = new Map() // by system id: the next sequence number
const parameters = new Set()

function send(message) {
  socket.send(protocol.serialize(message, sequence), PORT, '127.1.0.1')
  sequence = (sequence + 1) & 255
  seen.sent += 1
}

function heartbeat() {
  const message = new minimal.Heartbeat()
  message.type = role === 'drone' ? minimal.MavType.QUADROTOR : minimal.MavType.GCS
  message.autopilot = role === 'drone' ? minimal.MavAutopilot.ARDUPILOTMEGA : minimal.MavAutopilot.INVALID
  message.systemStatus = minimal.MavState.ACTIVE
  send(message)
}

// Every value follows from the first, so the receiver can check them all.
function attitude(count) {
  const message = new common.Attitude()
  message.timeBootMs = count
  message.roll = Math.fround(Math.sin(count))
  message.pitch = Math.fround(Math.cos(count))
  send(message)
}

function parameter(index) {
  const message = new common.ParamValue()
  message.paramId = `P${index}`
  message.paramValue = Math.fround(index * 1.5)
  message.paramType = common.MavParamType.REAL32
  message.paramCount = PARAMETERS
  message.paramIndex = index
  send(message)
}

function isRight(message) {
  if (message instanceof common.Attitude) {
    return message.roll === Math.fround(Math.sin(message.timeBootMs)) && message.pitch === Math.fround(Math.cos(message.timeBootMs))
  }
  if (message instanceof common.ParamValue) {
    parameters.add(message.paramIndex)
    return message.paramId === `P${message.paramIndex}` && message.paramValue === Math.fround(message.paramIndex * 1.5)
  }
  if (message instanceof minimal.Heartbeat) seen.heartbeats += 1
  return true
}

function answer(message) {
  if (role !== 'drone' || !(message instanceof common.ParamRequestList)) return
  let index = 0
  const timer = setInterval(() => {
    for (let n = 0; n < 10 && index < PARAMETERS; n += 1) parameter(index++)
    if (index === PARAMETERS) clearInterval(timer)
  }, 5)
}

function receive(packet) {
  seen.received += 1
  const system = packet.header.sysid
  if (expected.has(system) && packet.header.seq !== expected.get(system)) seen.gaps += 1
  expected.set(system, (packet.header.seq + 1) & 255)
  const kind = registry[packet.header.msgid]
  const message = kind && packet.protocol.data(packet.payload, kind)
  if (!message || !isRight(message)) seen.altered += 1
  else answer(message)
}

const input = new PassThrough()
const splitter = new MavLinkPacketSplitter({}, { onCrcError: () => { seen.altered += 1 } })
input.pipe(splitter).pipe(new MavLinkPacketParser()).on('data', receive)
socket.on('message', datagram => input.write(datagram))
socket.bind(PORT, '127.0.0.1', () => {
  let count = 0
  const timers = []
  const go = () => {
    timers.push(setInterval(heartbeat, 100))
    if (role === 'drone') timers.push(setInterval(() => attitude(count++), 1000 / ATTITUDE_HZ))
  }
  readline.createInterface({ input: process.stdin }).on('line', line => {
    if (line === 'go') go()
    if (line === 'params') send(new common.ParamRequestList())
    if (line === 'quiet') timers.forEach(clearInterval)
    if (line === 'report') console.log(JSON.stringify({ ...seen, parameters: parameters.size,
      systems: [...expected.keys()].sort((a, b) => a - b) }))
  }).on('close', () => process.exit(0))
  console.log('ready')
})
