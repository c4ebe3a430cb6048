import { randomInt } from 'node:crypto';

const STATUSES = ['new', 'picking', 'packed', 'shipped'];
const PICKERS = ['anna', 'ben'];
const CUSTOMERS = [
  'Fischer & Sons',
  'Hotel Miramar',
  'Oak Street School',
  'Delta Marine',
  'Bakery Lindner',
  'Kowalski Tools',
  'City Library',
  'Nordic Cycles',
  "O'Hara Pharmacy",
];
const ITEMS = [
  'Printer paper A4 (5 boxes)',
  'Pallet wrap 500 mm',
  'Work gloves size 9',
  'Halogen lamp 150 W',
  'Shelf bracket steel',
  'Cable drum 25 m',
  'Toner black HL-2030',
  'First aid kit',
  'Hand truck 200 kg',
  'Packing tape brown',
];

const MAX_ORDERS = 60;
const MIN_STEP_LENGTH = 1000;
const MAX_STEP_LENGTH = 3000;
const MAX_CATCH_UP_STEPS = 30;
const DOCK_WIDTH = 20;

/**
 * Creates the warehouse whose state moves on by itself, as far as the clock says, on each access.
 */
export function createBoard({ now = Date.now, random = Math.random } = {}) {
  const lines = [
    { name: 'Inbound A', throughput: 420, temperature: 31.5 },
    { name: 'Sorter B', throughput: 760, temperature: 38.0 },
    { name: 'Packing C', throughput: 310, temperature: 29.0 },
    { name: 'Outbound D', throughput: 545, temperature: 34.5 },
  ];
  const forklift = { position: 3, direction: 1 };
  let orders = [];
  let changedAt = now();
  let nextStepAt = changedAt + stepLength();

  for (let age = 14; age > 0; age -= 1) {
    const order = placeOrder(pick(CUSTOMERS), pick(ITEMS), pick(PICKERS), changedAt - age * 240e3);
    order.status = STATUSES[Math.min(3, Math.floor(age / 4))];
  }

  function pick(list) {
    return list[Math.floor(random() * list.length)];
  }

  function stepLength() {
    return MIN_STEP_LENGTH + Math.floor(random() * (MAX_STEP_LENGTH - MIN_STEP_LENGTH));
  }

  function wander(value, span, low, high) {
    return Math.min(high, Math.max(low, value + (random() * 2 - 1) * span));
  }

  function placeOrder(customer, item, picker, placedAt) {
    let id;
    do {
      id = String(randomInt(100000, 1000000));
    } while (orders.some((order) => order.id === id));
    const order = { id, customer, item, status: 'new', picker, placed: formatTime(placedAt) };
    // Newest first; dropping the tail keeps a site that runs for weeks at a constant size.
    orders = [order, ...orders].slice(0, MAX_ORDERS);
    return order;
  }

  function promote(order) {
    order.status = STATUSES[Math.min(STATUSES.length - 1, STATUSES.indexOf(order.status) + 1)];
  }

  function step(at) {
    for (const line of lines) {
      line.throughput = Math.round(wander(line.throughput, 45, 0, 900));
      line.temperature = Math.round(wander(line.temperature, 0.8, 18, 55) * 10) / 10;
    }
    if (
      forklift.position + forklift.direction < 0 ||
      forklift.position + forklift.direction > DOCK_WIDTH
    ) {
      forklift.direction = -forklift.direction;
    }
    forklift.position += forklift.direction;

    const open = orders.filter((order) => order.status !== 'shipped');
    if (open.length > 0 && random() < 0.6) promote(pick(open));
    if (open.length < 6 || random() < 0.2) {
      placeOrder(pick(CUSTOMERS), pick(ITEMS), pick(PICKERS), at);
    }
    changedAt = at;
  }

  function catchUp() {
    const time = now();
    // Nobody saw what happened during a quiet night, so only its end is worth simulating.
    nextStepAt = Math.max(nextStepAt, time - MAX_CATCH_UP_STEPS * MIN_STEP_LENGTH);
    // A clock that was set back must not stop the board until it has caught up.
    nextStepAt = Math.min(nextStepAt, time + MAX_STEP_LENGTH);
    while (nextStepAt <= time) {
      step(nextStepAt);
      nextStepAt += stepLength();
    }
  }

  function counts() {
    const result = {};
    for (const status of STATUSES) {
      result[status] = orders.filter((order) => order.status === status).length;
    }
    return result;
  }

  return {
    status() {
      catchUp();
      return {
        time: formatTime(changedAt),
        lines: lines.map((line) => ({ ...line, state: lineState(line) })),
        counts: counts(),
      };
    },

    latestOrders(limit) {
      catchUp();
      return orders.slice(0, limit).map((order) => ({ ...order }));
    },

    openOrdersOf(picker) {
      catchUp();
      return orders
        .filter((order) => order.picker === picker && order.status !== 'shipped')
        .map((order) => order.id);
    },

    addOrder({ customer, item, picker }) {
      catchUp();
      changedAt = now();
      return placeOrder(customer, item, picker, changedAt).id;
    },

    advanceOrder(id) {
      catchUp();
      const order = orders.find((candidate) => candidate.id === id);
      if (!order) return false;
      promote(order);
      changedAt = now();
      return true;
    },

    dock() {
      catchUp();
      return {
        changedAt,
        position: forklift.position / DOCK_WIDTH,
        direction: forklift.direction,
        waiting: counts().packed,
      };
    },
  };
}

function lineState(line) {
  if (line.throughput < 40) return 'stopped';
  return line.throughput < 250 ? 'slow' : 'running';
}

function formatTime(milliseconds) {
  const date = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, '0');
  return (
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  );
}
