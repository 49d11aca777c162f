// json-server over data in memory, on loopback only. It prints its port. Beside json-server's own routes:
//   POST /_rows/NAME    add an array of rows to a collection, which is made when it is not there
//   POST /_database     collections that know of each other: an object of arrays
const jsonServer = require(`${process.env.JSON_SERVER}/node_modules/json-server`)

const server = jsonServer.create()
const routers = new Map()

server.use(jsonServer.bodyParser)
server.post('/_rows/:name', (request, reply) => {
  const name = request.params.name
  if (!routers.has(name)) routers.set(name, jsonServer.router({ [name]: [] }))
  const rows = routers.get(name).db.get(name).value()
  for (const row of request.body) rows.push(row)
  reply.status(201).json({ rows: rows.length })
})
server.post('/_database', (request, reply) => {
  const router = jsonServer.router(request.body)
  for (const name of Object.keys(request.body)) routers.set(name, router)
  reply.status(201).json({})
})
server.use((request, reply, next) => {
  const router = routers.get(request.path.split('/')[1])
  if (router) router(request, reply, next)
  else reply.status(404).json({ message: `there is no collection ${request.path}` })
})
const listening = server.listen(0, '127.0.0.1', () => console.log(listening.address().port))
